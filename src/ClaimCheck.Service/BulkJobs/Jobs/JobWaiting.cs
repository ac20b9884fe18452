namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Waits until a job has ended, for callers that asked to.</summary>
internal sealed class JobWaiting(JobStore store, CatalogSignals signals, LongPoll poll)
{
    private readonly CatalogWatch<Guid, JobRow> watch = new(
        signals,
        job => CatalogSignals.Of(new JobId(job)),
        TimeSpan.FromSeconds(2),
        async (jobs, cancellationToken) => (await store.EndedAsync([.. jobs], cancellationToken)).Select(row => (row.Id, row)));

    /// <returns>The job as it is then; not ended when the time is up or the service stops.</returns>
    public Task<JobRow> UntilEndedAsync(Caller caller, JobRow row, TimeSpan atMost, CancellationToken cancellationToken) =>
        poll.UntilAsync(
            watch, row.Id, async token => await store.FindAsync(caller, row.JobId, token) ?? row, found => found.IsEnded, atMost,
            cancellationToken);
}
