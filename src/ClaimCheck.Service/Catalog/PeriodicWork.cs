namespace ClaimCheck.Service.Catalog;

/// <summary>What a worker repeats: it does what is due, one step after another, and waits where nothing is. While the catalog is
/// unreachable it waits too. A defect ends it: one item's is for the work to catch.</summary>
internal static partial class PeriodicWork
{
    private static readonly TimeSpan AfterOutage = TimeSpan.FromSeconds(1);

    /// <param name="work">Does what is due next; false where nothing was.</param>
    /// <param name="every">The poll interval.</param>
    /// <param name="stoppingToken">Stops it, without an exception.</param>
    public static Task RunAsync(
        Func<CancellationToken, Task<bool>> work, TimeSpan every, ILogger logger, CancellationToken stoppingToken) =>
        RunAsync(work, token => Task.Delay(every, token), logger, stoppingToken);

    /// <summary>The same where a signal ends the wait early.</summary>
    public static async Task RunAsync(
        Func<CancellationToken, Task<bool>> work, CatalogSignals signals, string topic, TimeSpan every, ILogger logger,
        CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(topic);
        await RunAsync(work, token => signal.WaitAsync(every, token), logger, stoppingToken);
    }

    /// <summary>The same with another way to wait.</summary>
    public static async Task RunAsync(
        Func<CancellationToken, Task<bool>> work, Func<CancellationToken, Task> wait, ILogger logger,
        CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!await work(stoppingToken))
                    await wait(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (CatalogErrors.IsTransient(e) || e is OperationCanceledException)
            {
                Log.Interrupted(logger, e.Message);
                await Task.Delay(AfterOutage, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The work was interrupted ({Reason}); it is tried again.")]
        public static partial void Interrupted(ILogger logger, string reason);
    }
}
