namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Jobs as callers see them.</summary>
internal sealed class JobViews(PublicAddress address, LinkMinter minter, TimeProvider time)
{
    public static string PathOf(JobId id) => $"/v1/bulk-jobs/{id}";

    /// <summary>A link to the results, or null where there are none.</summary>
    public async Task<Link?> ResultAsync(JobRow row, string method, CancellationToken cancellationToken) =>
        row is { ResultKey: { } key, ErasedAt: null, Remaining: { } remaining } && remaining > TimeSpan.Zero
            ? await minter.MintResultAsync(key, remaining, method, cancellationToken)
            : null;

    public async Task<BulkJob> ShowAsync(JobRow row, CancellationToken cancellationToken)
    {
        var self = address.Url(PathOf(row.JobId));
        return new()
        {
            JobId = row.JobId,
            Operation = row.Operation,
            Status = row.Status,
            TotalItems = row.TotalItems,
            Succeeded = row.Succeeded,
            Failed = row.Failed,
            Progress = new(row.Processed,
                row.TotalItems is > 0 and { } total ? Math.Round((double)row.Processed / total, 4) : null, EstimatedEnd(row)),
            CreatedAt = row.CreatedAt,
            StartedAt = row.StartedAt,
            CompletedAt = row.CompletedAt,
            ExpiresAt = row.ExpiresAt,
            RetryOf = row.RetryOf is { } original ? new JobId(original) : null,
            Failure = row.Failure,
            ResultUrl = await ResultAsync(row, HttpMethods.Get, cancellationToken),
            Links = new(
                self,
                self + "/failures",
                row.ResultKey is null ? null : self + "/results",
                row.IsEnded && row.Failed > 0 ? self + "/retries" : null,
                row.IsEnded ? null : self),
        };
    }

    // Estimated from its pace so far, measured by the database's clock and shown by this process's clock.
    private DateTimeOffset? EstimatedEnd(JobRow row) =>
        row is { Status: BulkJobStatus.Running, Processed: > 0, TotalItems: { } total, RunningFor: { } running }
            ? time.GetUtcNow() + (running * ((double)Math.Max(0, total - row.Processed) / row.Processed))
            : null;
}
