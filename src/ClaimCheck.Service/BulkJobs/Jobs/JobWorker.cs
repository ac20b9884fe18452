using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Exporting;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Takes leases and runs jobs, a few at a time, until the service stops.</summary>
internal sealed partial class JobWorker(
    JobLeases leases, JobRunner run, CatalogSignals signals, BulkJobsOptions options, ILogger<JobWorker> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(JobWorker), LoopAsync, logger, stoppingToken);

    private Task LoopAsync(CancellationToken stoppingToken) =>
        new LeasedWork(signals, CatalogSignals.Jobs, options.Parallelism, options.Lease, logger).RunAsync(TakeAsync, ReclaimAsync, stoppingToken);

    private async Task<bool> TakeAsync(CancellationToken stoppingToken)
    {
        if (await leases.TakeAsync(stoppingToken) is not { } lease)
            return false;
        await run.RunAsync(lease, stoppingToken);
        return true;
    }

    private async Task ReclaimAsync(CancellationToken stoppingToken)
    {
        foreach (var job in await leases.ReclaimAsync(stoppingToken))
            Log.Reclaimed(logger, new JobId(job));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Job {JobId} is pending again: its worker has gone silent.")]
        public static partial void Reclaimed(ILogger logger, JobId jobId);
    }
}
