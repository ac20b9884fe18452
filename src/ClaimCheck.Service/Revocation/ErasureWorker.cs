namespace ClaimCheck.Service.Revocation;

/// <summary>Runs in every process: requested deletions, abandoned attempts, expired retention.</summary>
internal sealed class ErasureWorker(
    BatchEraser eraser, AttemptCleanup attempts, Retention retention, CatalogSignals signals, ILogger<ErasureWorker> logger)
    : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(ErasureWorker), LoopsAsync, logger, stoppingToken);

    private Task LoopsAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(CatalogSignals.Deletions, eraser.EraseNextAsync, stoppingToken),
        RepeatAsync(CatalogSignals.Pending, attempts.SweepNextAsync, stoppingToken), // a reclaimed export leaves an attempt
        RepeatAsync("retention", retention.ExpireAsync, stoppingToken));

    private Task RepeatAsync(string topic, Func<CancellationToken, Task<bool>> workOnce, CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            $"{nameof(ErasureWorker)} ({topic})",
            token => PeriodicWork.RunAsync(workOnce, signals, topic, LookAgain, logger, token),
            logger,
            stoppingToken);
}
