using ClaimCheck.Service.Catalog;

namespace ClaimCheck.Service.Exporting;

/// <summary>
/// The loop of a worker: what is pending is taken and run, a few at a time, and what silent workers left is made pending again. A
/// catalog that is away is waited for.
/// </summary>
/// <param name="signals">Tell when there is something new.</param>
/// <param name="channel">Of which kind.</param>
/// <param name="parallelism">So many at a time.</param>
/// <param name="lease">How long a lease lasts; a third of it is the longest that anything waits unseen.</param>
/// <param name="logger">The worker's own.</param>
internal sealed partial class LeasedWork(CatalogSignals signals, string channel, int parallelism, TimeSpan lease, ILogger logger)
{
    /// <param name="take">Takes one and runs it to its outcome; false where none is pending.</param>
    /// <param name="reclaim">Makes those pending whose lease has run out.</param>
    /// <param name="stoppingToken">Ends it.</param>
    public Task RunAsync(Func<CancellationToken, Task<bool>> take, Func<CancellationToken, Task> reclaim, CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, parallelism).Select(_ => GuardAsync(token => WorkAsync(take, token), stoppingToken))
            .Append(GuardAsync(token => ReclaimAsync(reclaim, token), stoppingToken)));

    // Each by itself: one that breaks must not leave the others with a slot less for ever.
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
                    await signal.WaitAsync(lease / 3, stoppingToken); // also for those whose next try has come
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
