using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>Takes leases and runs jobs, a few at a time, until the service stops.</summary>
internal sealed partial class JobWorker(
    JobLeases leases, JobRun run, CatalogSignals signals, BulkJobsOptions options, ILogger<JobWorker> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, options.Parallelism).Select(_ => WorkAsync(stoppingToken)).Append(ReclaimAsync(stoppingToken)));

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var signal = signals.Listen(CatalogSignals.Jobs);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await leases.TakeAsync(stoppingToken) is { } lease)
                    await run.RunAsync(lease, stoppingToken);
                else
                    await signal.WaitAsync(options.Lease / 3, stoppingToken); // also for those whose next try has come
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (CatalogErrors.IsTransient(e))
            {
                Log.CatalogAway(logger, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Jobs of workers that have gone silent.
    private async Task ReclaimAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Lease / 3);
        try
        {
            do
            {
                try
                {
                    foreach (var job in await leases.ReclaimAsync(stoppingToken))
                        Log.Reclaimed(logger, new JobId(job));
                }
                catch (Exception e) when (CatalogErrors.IsTransient(e))
                {
                    Log.CatalogAway(logger, e.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Job {JobId} is pending again: its worker has gone silent.")]
        public static partial void Reclaimed(ILogger logger, JobId jobId);

        [LoggerMessage(LogLevel.Warning, "The catalog can't be reached ({Reason}); the worker of bulk jobs tries again.")]
        public static partial void CatalogAway(ILogger logger, string reason);
    }
}
