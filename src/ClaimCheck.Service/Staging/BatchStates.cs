using ClaimCheck.Contracts;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Staging;

/// <summary>Whether a batch may be read, as the catalog says now.</summary>
internal class BatchStates(NpgsqlDataSource catalog)
{
    public virtual async Task<bool> IsReadyAsync(BatchId batch, CancellationToken cancellationToken)
    {
        // Found by the unique index of batch_id.
        const string sql = """
            SELECT EXISTS (SELECT FROM exports WHERE batch_id = @Id AND state = 'ready' AND expires_at > now())
            """;
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<bool>(
            new CommandDefinition(sql, new { Id = batch.Value }, cancellationToken: cancellationToken));
    }
}
