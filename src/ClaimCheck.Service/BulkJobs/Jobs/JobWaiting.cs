using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Http.Access;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Waits until a job has ended, for callers that asked to.</summary>
internal sealed class JobWaiting(JobStore store, CatalogSignals signals, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private readonly CatalogWatch<Guid, JobRow> watch = new(
        signals,
        job => CatalogSignals.Of(new JobId(job)),
        TimeSpan.FromSeconds(2),
        async (jobs, cancellationToken) => (await store.EndedAsync([.. jobs], cancellationToken)).Select(row => (row.Id, row)));

    /// <returns>The job as it is then; not ended when the time is up or the service stops.</returns>
    public async Task<JobRow> UntilEndedAsync(Caller caller, JobRow row, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var wait = watch.Begin(row.Id);
        row = await store.FindAsync(caller, row.JobId, cancellationToken) ?? row;
        if (row.IsEnded || atMost <= TimeSpan.Zero)
            return row;
        return await wait.WithinAsync(atMost, time, stopping.Token)
            ? await wait.Happened
            : await store.FindAsync(caller, row.JobId, cancellationToken) ?? row;
    }
}
