using ClaimCheck.Aws;

namespace ClaimCheck.Service.Publishing;

/// <summary>Forwards the feed to an SNS topic, in the order of its positions, one relay at a time. It stores its position after
/// SNS has answered: an event whose answer was lost is sent again, under the same id. While SNS is unreachable the feed grows,
/// and drains later. One event that can't be sent now, or never, is set aside (<see cref="TopicQueue"/>): those of its batch wait
/// behind it, and all others continue.</summary>
internal sealed partial class TopicRelay(
    NpgsqlDataSource catalog, TopicPublisher publisher, TopicQueue queue, CatalogSignals signals, ILogger<TopicRelay> logger)
    : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(TopicRelay), token => Exclusive.RunAsync(catalog, AdvisoryLocks.TopicRelay, RelayAsync, logger, token), logger,
            stoppingToken);

    private async Task RelayAsync(NpgsqlConnection connection, CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(CatalogSignals.Feed);
        for (var failures = 0; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                if (!await TurnAsync(connection, stoppingToken))
                    await signal.WaitAsync(LookAgain, stoppingToken);
                failures = 0;
            }
            catch (AwsMessagingException e)
            {
                // The topic accepts nothing at all.
                var wait = Backoff.After(++failures, FirstWait, LongestWait);
                Log.Waiting(logger, wait, e.Message);
                await Task.Delay(wait, stoppingToken);
            }
        }
    }

    /// <returns>False where there was nothing to do.</returns>
    private async Task<bool> TurnAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var due = await queue.DueAsync(connection, cancellationToken);
        if (due.Count > 0)
            await queue.SettleAsync(connection, due, await publisher.PublishAsync(due, cancellationToken), cancellationToken);

        var (position, events, behind) = await queue.NextAsync(connection, cancellationToken);
        if (events.Count == 0)
            return due.Count > 0;
        var unsent = await publisher.PublishAsync([.. events.Where(row => !behind.Contains(row.About))], cancellationToken);
        var waiting = events.Where(row => behind.Contains(row.About))
            .Select(row => new Unsent(row, Reason: null, IsTerminal: false));
        await queue.MoveAsync(connection, position, events, [.. unsent, .. waiting], cancellationToken);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The topic accepts nothing now; it is tried again in {Wait}: {Reason}")]
        public static partial void Waiting(ILogger logger, TimeSpan wait, string reason);
    }
}
