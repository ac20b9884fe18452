using System.Data;
using Npgsql;

namespace ClaimCheck.Service.Catalog;

/// <summary>A connection and its transaction; rolled back unless committed.</summary>
internal sealed class Transaction(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
{
    private bool isDisposed;

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
    public Dapper.CommandDefinition Command(string sql, object? parameters, CancellationToken cancellationToken) =>
        new(sql, parameters, transaction, cancellationToken: cancellationToken);

    public Task CommitAsync(CancellationToken cancellationToken) => transaction.CommitAsync(cancellationToken);

    // Once only: Npgsql uses its transaction objects again, and a second time would roll back the next user's.
    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
