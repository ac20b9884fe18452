using ClaimCheck.Service.Catalog;

namespace ClaimCheck.Service.Revocation;

/// <summary>Runs in every process: requested deletions, abandoned attempts, expired retention.</summary>
internal sealed partial class ErasureWorker(
    BatchEraser eraser, AttemptCleanup attempts, Retention retention, CatalogSignals signals, ILogger<ErasureWorker> logger) : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(ErasureWorker), LoopsAsync, logger, stoppingToken);

    private Task LoopsAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(CatalogSignals.Deletions, eraser.EraseNextAsync, stoppingToken),
        RepeatAsync(CatalogSignals.Pending, attempts.SweepNextAsync, stoppingToken), // a reclaimed export leaves an attempt
        RepeatAsync("retention", retention.ExpireAsync, stoppingToken));

    private Task RepeatAsync(string topic, Func<CancellationToken, Task<bool>> workOnce, CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync($"{nameof(ErasureWorker)} ({topic})", token => WorkAsync(topic, workOnce, token), logger, stoppingToken);

    private async Task WorkAsync(string topic, Func<CancellationToken, Task<bool>> workOnce, CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(topic);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await workOnce(stoppingToken))
                    await signal.WaitAsync(LookAgain, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (CatalogErrors.IsTransient(e) || e is OperationCanceledException)
            {
                Log.Interrupted(logger, topic, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Cleaning up ({Topic}) was interrupted ({Reason}); it is tried again.")]
        public static partial void Interrupted(ILogger logger, string topic, string reason);
    }
}
