using ClaimCheck.Service.BulkJobs.Bodies;
using ClaimCheck.Service.BulkJobs.Targets;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>A leased job with its items and what applies them to the target. Disposing closes both.</summary>
internal sealed record JobWork(JobLease Lease, JobItems Items, ChunkApplier Applier) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Applier.DisposeAsync();
        if (Items is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
    }
}
