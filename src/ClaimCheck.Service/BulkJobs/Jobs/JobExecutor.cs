using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Applies a job to its target and writes its results.</summary>
internal sealed class JobExecutor(
    JobSources sources, JobProgress progress, JobResultsWriter writer, BulkJobsOptions options, TimeProvider time)
{
    /// <returns>How it ended, including failures of the job itself, with what was applied before.</returns>
    public async Task<JobEnd> RunAsync(
        JobLease lease, Func<bool> isCancelled, CancellationToken stopping, CancellationToken token)
    {
        await using var work = await sources.OpenAsync(lease, token);
        var (_, items, applier) = work;
        if (lease.Source == "claim")
            await progress.SaveTotalAsync(lease, await items.CountAsync(token), token);

        if (lease.Operation.Atomicity == Operation.PerJob)
        {
            try
            {
                if (!await new WholeJob(work, progress, options, time).RunAsync(isCancelled, stopping, token))
                    return new(BulkJobStatus.Cancelled, null, null);
                return new(
                    BulkJobStatus.Completed, null, await writer.WriteAsync(lease, items, await items.CountAsync(token), token));
            }
            catch (JobFailedException e)
            {
                // It may still be applied, where another worker has just done so: then the next worker to lease the job finds
                // that.
                if (!await applier.FenceAsync(0, 0, token))
                    throw new LeaseLostException();
                return new(BulkJobStatus.Failed, new(e.Code, e.Message, e.IsTransient), null);
            }
        }

        await using var pass = new JobPass(work, progress, writer, options, time);
        var (status, failure) = (BulkJobStatus.Completed, (BulkJobFailure?)null);
        try
        {
            if (!await pass.RunAsync(isCancelled, stopping, token))
                status = BulkJobStatus.Cancelled;
        }
        catch (JobFailedException e)
        {
            if (!await pass.FenceAsync(token))
                throw new LeaseLostException();
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
            return await writer.WriteAsync(lease, items, pass.Processed, token);
        }
        catch (JobFailedException)
        {
            return null; // a claim that has ended meanwhile; the failures can still be read
        }
    }
}
