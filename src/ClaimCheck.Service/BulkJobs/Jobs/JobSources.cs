using ClaimCheck.Service.BulkJobs.Bodies;
using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Where the items of a job are read from.</summary>
internal sealed class JobSources(
    NpgsqlDataSource catalog, IStaging staging, ClaimedBatches batches, ChunkAppliers appliers, TimeProvider time)
{
    /// <summary>Opens the items; the target is connected to by the first call that needs it.</summary>
    public async Task<JobWork> OpenAsync(JobLease lease, CancellationToken cancellationToken) =>
        new(lease, await OpenItemsAsync(lease, cancellationToken), appliers.For(lease));

    private async Task<JobItems> OpenItemsAsync(JobLease lease, CancellationToken cancellationToken)
    {
        if (lease.RetryOf is not { } original)
            return Open(lease.Operation, lease.Body, lease.ClaimUrl);
        var root = await catalog.QuerySingleAsync<BodyRow>(
            "SELECT body, body_key, body_bytes, body_index, claim_url, coalesce(total_items, 0) AS total_items FROM "
            + "bulk_jobs WHERE id = @Id",
            new { Id = lease.BodyOf },
            cancellationToken);
        var body =
            root.BodyIndex is { } index ? new JobBody(root.Body, root.BodyKey, index, root.BodyBytes, root.TotalItems) : null;
        var items = Open(lease.Operation, body, root.ClaimUrl);
        // A job that is atomic as a whole is retried as a whole.
        return lease.Operation.Atomicity == Operation.PerJob
            ? items
            : new RetryItems(catalog, items, new(original), lease.RetryClass, lease.RetryFrom);
    }

    private JobItems Open(Operation operation, JobBody? body, string? claimUrl)
    {
        if (body is not null)
            return new BodyItems(operation, body, staging);
        var claimed = batches.Find(claimUrl ?? "")
            ?? throw new JobFailedException(
                "claim_not_allowed", "The claim's host is not one that ClaimCheck:BulkJobs:ClaimHosts names.");
        return new ClaimItems(operation, batches, claimed, time);
    }

    private sealed record BodyRow(
        byte[]? Body, string? BodyKey, long BodyBytes, byte[]? BodyIndex, string? ClaimUrl, long TotalItems);
}
