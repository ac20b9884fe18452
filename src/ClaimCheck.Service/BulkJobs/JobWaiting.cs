using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>Waits until a job has ended, for callers that asked to.</summary>
internal sealed class JobWaiting(JobStore store, CatalogSignals signals, TimeProvider time, IHostApplicationLifetime lifetime)
{
    // A lost notification costs at most this.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <returns>The job as it is then; not ended when the time is up or the service stops.</returns>
    public async Task<JobRow> UntilEndedAsync(Caller caller, JobRow row, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var signal = signals.Listen(CatalogSignals.Of(row.JobId));
        var began = time.GetTimestamp();
        while (true)
        {
            row = await store.FindAsync(caller, row.JobId, cancellationToken) ?? row;
            var left = atMost - time.GetElapsedTime(began);
            if (row.IsEnded || left <= TimeSpan.Zero)
                return row;
            try
            {
                await signal.WaitAsync(left < LookAgain ? left : LookAgain, stopping.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return row;
            }
        }
    }
}
