namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Takes leases and runs jobs, a few at a time, until the service stops.</summary>
internal sealed partial class JobWorker(
    JobLeases leases, JobRunner run, CatalogSignals signals, BulkJobsOptions options, ILogger<JobWorker> logger)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(JobWorker), LoopAsync, logger, stoppingToken);

    private Task LoopAsync(CancellationToken stoppingToken) =>
        new LeasedWork(signals, CatalogSignals.Jobs, options.Parallelism, options.Lease, logger).RunAsync(
            leases.TakeAsync, run.RunAsync, leases.ReclaimAsync, job => Log.Reclaimed(logger, new JobId(job)), stoppingToken);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Job {JobId} is pending again: its worker has gone silent.")]
        public static partial void Reclaimed(ILogger logger, JobId jobId);
    }
}
