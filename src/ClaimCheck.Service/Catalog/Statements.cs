namespace ClaimCheck.Service.Catalog;

/// <summary>Single statements by Dapper: on a connection that is open, or on one of their own, which goes back to the pool before
/// the caller continues. Those of a transaction are <see cref="Transaction"/>'s.</summary>
internal static class Statements
{
    /// <returns>How many rows it has changed.</returns>
    public static Task<int> ExecuteAsync(
        this NpgsqlDataSource catalog, string sql, object? parameters, CancellationToken cancellationToken) =>
        catalog.LendAsync(connection => connection.ExecuteAsync(sql, parameters, cancellationToken), cancellationToken);

    public static Task<T?> ExecuteScalarAsync<T>(
        this NpgsqlDataSource catalog, string sql, object? parameters, CancellationToken cancellationToken) =>
        catalog.LendAsync(connection => connection.ExecuteScalarAsync<T>(sql, parameters, cancellationToken), cancellationToken);

    public static Task<T> QuerySingleAsync<T>(
        this NpgsqlDataSource catalog, string sql, object? parameters, CancellationToken cancellationToken) =>
        catalog.LendAsync(connection => connection.QuerySingleAsync<T>(sql, parameters, cancellationToken), cancellationToken);

    public static Task<T?> QuerySingleOrDefaultAsync<T>(
        this NpgsqlDataSource catalog, string sql, object? parameters, CancellationToken cancellationToken) =>
        catalog.LendAsync(
            connection => connection.QuerySingleOrDefaultAsync<T>(sql, parameters, cancellationToken), cancellationToken);

    public static Task<IReadOnlyList<T>> ListAsync<T>(
        this NpgsqlDataSource catalog, string sql, object? parameters, CancellationToken cancellationToken) =>
        catalog.LendAsync(connection => connection.ListAsync<T>(sql, parameters, cancellationToken), cancellationToken);

    /// <inheritdoc cref="ExecuteAsync(NpgsqlDataSource, string, object?, CancellationToken)"/>
    public static Task<int> ExecuteAsync(
        this NpgsqlConnection connection, string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    public static Task<T?> ExecuteScalarAsync<T>(
        this NpgsqlConnection connection, string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.ExecuteScalarAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    public static Task<T> QuerySingleAsync<T>(
        this NpgsqlConnection connection, string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.QuerySingleAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    public static Task<T?> QuerySingleOrDefaultAsync<T>(
        this NpgsqlConnection connection, string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.QuerySingleOrDefaultAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    public static Task<IReadOnlyList<T>> ListAsync<T>(
        this NpgsqlConnection connection, string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.ListAsync<T>(new CommandDefinition(sql, parameters, cancellationToken: cancellationToken));

    /// <summary>All rows, in memory.</summary>
    public static async Task<IReadOnlyList<T>> ListAsync<T>(this NpgsqlConnection connection, CommandDefinition command) =>
        (await connection.QueryAsync<T>(command)).AsList();

    private static async Task<T> LendAsync<T>(
        this NpgsqlDataSource catalog, Func<NpgsqlConnection, Task<T>> use, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await use(connection);
    }
}
