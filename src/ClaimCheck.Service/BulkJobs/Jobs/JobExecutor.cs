using ClaimCheck.Contracts;
using ClaimCheck.Service.BulkJobs.Bodies;
using ClaimCheck.Service.BulkJobs.Targets;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Applies a job to its target and writes its results.</summary>
internal sealed class JobExecutor(
    JobSources sources, JobProgress progress, JobStaging staging, SourceDatabases databases, BulkJobsOptions options, TimeProvider time, ILogger<JobExecutor> logger)
{
    private const int FailuresAtOnce = 1000;

    /// <returns>How it ended, including failures of the job itself, with what was applied before.</returns>
    public async Task<JobEnd> RunAsync(JobLease lease, Func<bool> isCancelled, CancellationToken stopping, CancellationToken token)
    {
        var items = await sources.OpenAsync(lease, token);
        await using var disposing = items as IAsyncDisposable;
        await using var applier = new ChunkApplier(databases, lease, options, time, logger);
        if (lease.Source == "claim")
            await progress.SaveTotalAsync(lease, await items.CountAsync(token), token);

        if (lease.Operation.Atomicity == Operation.PerJob)
        {
            try
            {
                if (!await new WholeJob(lease, items, applier, progress, options, time).RunAsync(isCancelled, stopping, token))
                    return new(BulkJobStatus.Cancelled, null, null);
                return new(BulkJobStatus.Completed, null, await WriteAsync(lease, items, await items.CountAsync(token), token));
            }
            catch (JobFailedException e)
            {
                // It may still be applied, where another worker has just done so: then the next worker to lease the job finds
                // that.
                if (!await applier.FenceAsync(0, 0, token))
                    throw new JobLostException();
                return new(BulkJobStatus.Failed, new(e.Code, e.Message, e.IsTransient), null);
            }
        }

        await using var pass = new JobPass(lease, items, applier, progress, staging, options, time);
        var (status, failure) = (BulkJobStatus.Completed, (BulkJobFailure?)null);
        try
        {
            if (!await pass.RunAsync(isCancelled, stopping, token))
                status = BulkJobStatus.Cancelled;
        }
        catch (JobFailedException e)
        {
            if (!await pass.FenceAsync(token))
                throw new JobLostException();
            (status, failure) = (BulkJobStatus.Failed, new(e.Code, e.Message, e.IsTransient));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await pass.SaveAsync(token); // the next worker continues from here
            throw;
        }

        await pass.SaveAsync(token);
        return new(status, failure, await ResultsAsync(lease, items, pass, token));
    }

    private async Task<string?> ResultsAsync(JobLease lease, JobItems items, JobPass pass, CancellationToken token)
    {
        if (pass.Results is { } written)
        {
            await pass.SettleAsync();
            await written.CompleteAsync(token);
            return written.Key;
        }

        try
        {
            return await WriteAsync(lease, items, pass.Processed, token);
        }
        catch (JobFailedException)
        {
            return null; // a claim that has ended meanwhile; the failures can still be read
        }
    }

    // From the start: all items, merged with the failures.
    private async Task<string> WriteAsync(JobLease lease, JobItems items, long processed, CancellationToken token)
    {
        await using var results = await JobResults.OpenAsync(staging, lease, token);
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
