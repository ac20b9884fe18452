using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Writes the results of jobs: along the way, where the job was begun by this worker, or at its end.</summary>
internal sealed class JobResultsWriter(JobProgress progress, JobStaging staging)
{
    private const int FailuresAtOnce = 1000;

    /// <summary>Results to be written along the way. The caller disposes them.</summary>
    /// <exception cref="LeaseLostException">The lease is lost.</exception>
    public async Task<JobResults> OpenAsync(JobLease lease, CancellationToken cancellationToken) =>
        new(await staging.OpenResultsAsync(lease, cancellationToken) ?? throw new LeaseLostException());

    /// <summary>From the start: items, and beside them those that failed.</summary>
    /// <returns>The object's key.</returns>
    public async Task<string> WriteAsync(JobLease lease, JobItems items, long processed, CancellationToken token)
    {
        await using var results = await OpenAsync(lease, token);
        var failures = new Queue<ItemFailure>(await progress.ReadAsync(lease, -1, FailuresAtOnce, token));
        var read = 0L;
        await foreach (var chunk in items.ChunksAsync(0, FailuresAtOnce, isWhole: false, token))
        {
            var some = chunk.Take((int)Math.Min(chunk.Count, processed - read)).ToList();
            if (some.Count == 0)
                break;
            read += some.Count;
            var failed = new List<ItemFailure>();
            while (failures.TryPeek(out var next) && next.Index <= some[^1].Index)
            {
                failed.Add(failures.Dequeue());
                if (failures.Count == 0)
                    failures = new(await progress.ReadAsync(lease, failed[^1].Index, FailuresAtOnce, token));
            }

            await results.AddAsync(some, failed, token);
        }

        await results.CompleteAsync(token);
        return results.Key;
    }
}
