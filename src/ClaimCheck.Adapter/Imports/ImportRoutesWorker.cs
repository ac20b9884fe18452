namespace ClaimCheck.Adapter.Imports;

/// <summary>Works on the routes that import, from the adapter's start to its end.</summary>
internal sealed class ImportRoutesWorker(WatchedRoutes routes, ILogger<ImportRoutesWorker> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(ImportRoutesWorker), routes.RunAsync, logger, stoppingToken);
}
