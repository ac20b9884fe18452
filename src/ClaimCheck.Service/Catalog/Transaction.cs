using System.Data;

namespace ClaimCheck.Service.Catalog;

/// <summary>A connection and its transaction; rolled back unless committed. It may be disposed more than once.</summary>
internal sealed class Transaction(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    // A process that is stuck, or whose host has silently gone, must not hold locks that others wait for. Set in the
    // transaction, with its first statement: a pooler would refuse or drop it as an option of the session.
    private const string GivesUpTheSilent = "SET LOCAL idle_in_transaction_session_timeout = '10s'; ";

    private static readonly TimeSpan LongestStatement = TimeSpan.FromMinutes(10);
    private bool isLimited;
    private bool disposed;

    public NpgsqlConnection Connection => connection;

    public static async Task<Transaction> BeginAsync(NpgsqlDataSource catalog, CancellationToken cancellationToken)
    {
        var connection = await catalog.OpenConnectionAsync(cancellationToken);
        try
        {
            return new(connection, await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>A statement of this transaction, for Dapper.</summary>
    public CommandDefinition Command(string sql, object? parameters, CancellationToken cancellationToken) =>
        new(Limited(sql), parameters, transaction, cancellationToken: cancellationToken);

    /// <returns>How many rows the statement has changed.</returns>
    public Task<int> ExecuteAsync(string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(Command(sql, parameters, cancellationToken));

    public Task<T?> ExecuteScalarAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.ExecuteScalarAsync<T>(Command(sql, parameters, cancellationToken));

    public Task<T> QuerySingleAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.QuerySingleAsync<T>(Command(sql, parameters, cancellationToken));

    public Task<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.QuerySingleOrDefaultAsync<T>(Command(sql, parameters, cancellationToken));

    /// <inheritdoc cref="Statements.ListAsync{T}(NpgsqlConnection, CommandDefinition)"/>
    public Task<IReadOnlyList<T>> ListAsync<T>(string sql, object? parameters, CancellationToken cancellationToken) =>
        connection.ListAsync<T>(Command(sql, parameters, cancellationToken));

    /// <summary>A statement over up to a million rows, which may take longer than the driver's default timeout.</summary>
    public CommandDefinition LongCommand(string sql, object? parameters, CancellationToken cancellationToken) =>
        new(Limited(sql), parameters, transaction, commandTimeout: (int)LongestStatement.TotalSeconds,
            cancellationToken: cancellationToken);

    public Task CommitAsync(CancellationToken cancellationToken) => transaction.CommitAsync(cancellationToken);

    private string Limited(string sql)
    {
        var limited = isLimited ? sql : GivesUpTheSilent + sql;
        isLimited = true;
        return limited;
    }

    public async ValueTask DisposeAsync()
    {
        // Npgsql uses the object again for the next transaction of the same physical connection, which may belong to another
        // caller by now: disposing it a second time would roll that one back.
        if (disposed)
            return;
        disposed = true;
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
