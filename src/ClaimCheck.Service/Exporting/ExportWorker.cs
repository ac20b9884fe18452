namespace ClaimCheck.Service.Exporting;

/// <summary>Takes leases and runs exports, a few at a time, until the service stops.</summary>
internal sealed partial class ExportWorker(
    ExportLeases leases, ExportRunner run, CatalogSignals signals, ExportingOptions options, ILogger<ExportWorker> logger)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(ExportWorker), LoopAsync, logger, stoppingToken);

    private Task LoopAsync(CancellationToken stoppingToken)
    {
        Log.Compresses(logger, BlockCompressor.Library);
        return new LeasedWork(signals, CatalogSignals.Pending, options.Parallelism, options.Lease, logger).RunAsync(
            leases.TakeAsync, run.RunAsync, leases.ReclaimAsync, export => Log.Reclaimed(logger, new ExportId(export)),
            stoppingToken);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Files are compressed by {Library}.")]
        public static partial void Compresses(ILogger logger, string library);

        [LoggerMessage(LogLevel.Warning, "Export {ExportId} is pending again: its worker has gone silent.")]
        public static partial void Reclaimed(ILogger logger, ExportId exportId);
    }
}
