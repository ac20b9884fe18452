namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// Every background loop runs in here: whatever it throws is logged with its stack, and the loop begins again after a pause. An
/// unexpected value must not stop the host, which is the user's.
/// </summary>
internal static partial class BackgroundLoop
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <param name="name">Its name in the log.</param>
    /// <param name="loop">Ends by itself only where there is nothing to do.</param>
    /// <param name="logger">Logs what it throws.</param>
    /// <param name="stoppingToken">Stops it.</param>
    /// <returns>Never fails.</returns>
    public static Task RunAsync(
        string name, Func<CancellationToken, Task> loop, ILogger logger, CancellationToken stoppingToken) =>
        RunAsync(name, loop, logger, TimeProvider.System, stoppingToken);

    internal static async Task RunAsync(
        string name, Func<CancellationToken, Task> loop, ILogger logger, TimeProvider time, CancellationToken stoppingToken)
    {
        await Task.Yield(); // lets the host continue to start
        for (var failures = 0; !stoppingToken.IsCancellationRequested;)
        {
            var began = time.GetTimestamp();
            try
            {
                await loop(stoppingToken);
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                failures = time.GetElapsedTime(began) > Longest ? 1 : failures + 1;
                var pause = Backoff.After(failures, First, Longest);
                Log.Broken(logger, Defect.Of(e), name, pause);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "{Loop} broke, and begins again in {Pause}.")]
        public static partial void Broken(ILogger logger, Exception exception, string loop, TimeSpan pause);
    }
}
