using ClaimCheck.Contracts;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Staging;

/// <summary>Whether a batch, or an object, may be read, as the catalog says now.</summary>
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

    /// <summary>Whether an object may be read: a batch's while it is ready, a job's results until its time is over.</summary>
    public async Task<bool> MayReadAsync(string key, CancellationToken cancellationToken)
    {
        if (StagingKeys.BatchOf(key) is { } batch)
            return await IsReadyAsync(batch, cancellationToken);
        if (StagingKeys.JobOf(key) is not { } job)
            return false;
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "SELECT EXISTS (SELECT FROM bulk_jobs WHERE id = @Id AND result_key = @key AND expires_at > now())",
            new { Id = job.Value, key },
            cancellationToken: cancellationToken));
    }
}
