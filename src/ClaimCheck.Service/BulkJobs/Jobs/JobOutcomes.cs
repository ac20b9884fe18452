namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Ends jobs: one guarded UPDATE, in one transaction with JobCompleted.</summary>
internal sealed class JobOutcomes(NpgsqlDataSource catalog, JobStaging staging)
{
    /// <returns>False if the lease was lost meanwhile: then nothing was written. A repeated call recognises that it was
    /// done.</returns>
    public async Task<bool> EndAsync(
        JobLease lease, string status, BulkJobFailure? failure, string? resultKey, CancellationToken cancellationToken)
    {
        var detail = failure is null ? null : BoundedText.Cut(failure.Detail, BoundedText.Detail);
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var ended = await transaction.QuerySingleOrDefaultAsync<JobRow>(
            $"""
            UPDATE bulk_jobs
               SET status = @status, completed_at = now(), expires_at = now() + ttl, result_key = @resultKey, lease_until = NULL,
                   failure_code = @Code, failure_detail = @detail, failure_transient = @Transient
             WHERE id = @Id AND status = 'running' AND lease_token = @Token
            RETURNING {JobRow.Columns}
            """,
            new { Id = lease.JobId.Value, lease.Token, status, resultKey, failure?.Code, detail, failure?.Transient },
            cancellationToken);
        if (ended is null)
        {
            // An earlier try of the same end may have committed without its answer reaching us: the token stays with the row.
            return await transaction.ExecuteScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM bulk_jobs WHERE id = @Id AND lease_token = @Token AND completed_at IS NOT NULL)",
                new { Id = lease.JobId.Value, lease.Token },
                cancellationToken);
        }

        await TellAsync(transaction, ended, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Removes what workers before this one had begun to write: all objects but the body and the results.</summary>
    public Task RemoveLeftoversAsync(JobLease lease, string? resultKey, CancellationToken cancellationToken) =>
        staging.EraseAsync(lease.JobId, cancellationToken, [.. new[] { lease.Body?.Key, resultKey }.OfType<string>()]);

    /// <summary>JobCompleted, in the transaction of the end.</summary>
    public static Task TellAsync(Transaction transaction, JobRow ended, CancellationToken cancellationToken) => Outbox.AddAsync(
        transaction,
        EventTypes.JobCompleted,
        EventSubject.OfJob(ended.JobId, ended.Tenant, ended.Operation),
        new JobCompletedData(
            ended.JobId, ended.Operation, ended.Status, ended.TotalItems, ended.Succeeded, ended.Failed, ended.Failure),
        cancellationToken);
}
