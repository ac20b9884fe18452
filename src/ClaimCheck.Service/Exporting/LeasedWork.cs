using ClaimCheck.Service.Catalog;

namespace ClaimCheck.Service.Exporting;

/// <summary>
/// The loop of a worker: leases and runs pending work, a few at a time, and returns what silent workers left to pending. While
/// the catalog is unreachable it waits.
/// </summary>
/// <param name="signals">Signals that something is new.</param>
/// <param name="channel">The channel to listen on.</param>
/// <param name="parallelism">How many run at a time.</param>
/// <param name="lease">How long a lease lasts; a third of it is the poll interval.</param>
/// <param name="logger">The worker's logger.</param>
internal sealed partial class LeasedWork(CatalogSignals signals, string channel, int parallelism, TimeSpan lease, ILogger logger)
{
    /// <param name="take">Leases one and runs it to its outcome; false where none is pending.</param>
    /// <param name="reclaim">Returns those whose lease has run out to pending.</param>
    /// <param name="stoppingToken">Stops it.</param>
    public Task RunAsync(Func<CancellationToken, Task<bool>> take, Func<CancellationToken, Task> reclaim, CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, parallelism).Select(_ => GuardAsync(token => WorkAsync(take, token), stoppingToken))
            .Append(GuardAsync(token => ReclaimAsync(reclaim, token), stoppingToken)));

    // Each loop by itself: one that breaks must not leave the others with a slot less for ever.
    private Task GuardAsync(Func<CancellationToken, Task> work, CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync($"A worker for {channel}", work, logger, stoppingToken);

    private async Task WorkAsync(Func<CancellationToken, Task<bool>> take, CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(channel);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await take(stoppingToken))
                    await signal.WaitAsync(lease / 3, stoppingToken); // also for those whose next try is due
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

    private async Task ReclaimAsync(Func<CancellationToken, Task> reclaim, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(lease / 3);
        do
        {
            try
            {
                await reclaim(stoppingToken);
            }
            catch (Exception e) when (CatalogErrors.IsTransient(e))
            {
                Log.CatalogAway(logger, e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The catalog can't be reached ({Reason}); the worker tries again.")]
        public static partial void CatalogAway(ILogger logger, string reason);
    }
}
