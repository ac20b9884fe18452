namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// Listens to the event feed: passes events to the dispatcher, those of one batch in their order, reads on meanwhile, and stores
/// the cursor behind what is handled. After a crash later events come again.
/// </summary>
internal sealed partial class FeedListener(
    FeedReader feed, FeedListenerOptions options, BatchDispatcher dispatcher, IHostApplicationLifetime host,
    ILogger<FeedListener> logger)
    : BackgroundService
{
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(4);
    private FeedPages pages = new();
    private readonly Dictionary<string, Task> lastOfBatch = new(StringComparer.Ordinal);
    private readonly HashSet<Task> working = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(FeedListener), ListenAsync, logger, stoppingToken);

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        using var handling = new CancellationTokenSource();
        pages = new(); // what an earlier round had not handled comes again
        try
        {
            await FollowAsync(handling.Token, stoppingToken);
        }
        catch (CursorExpiredException)
        {
            host.StopApplication(); // because it was asked to
        }
        finally
        {
            await DrainAsync(handling);
        }
    }

    private async Task FollowAsync(CancellationToken handling, CancellationToken stoppingToken)
    {
        var cursor = await feed.LoadAsync(stoppingToken);
        var reading = feed.ReadAsync(cursor, stoppingToken);
        while (true)
        {
            stoppingToken.ThrowIfCancellationRequested();
            // A handled page moves the cursor, even while the next one is waited for.
            if (pages.Oldest is { } oldest)
                await Task.WhenAny(oldest, pages.Events < options.MaxAhead ? reading : oldest).WaitAsync(stoppingToken);
            else
                await reading;
            if (pages.Oldest is { IsFaulted: true } broken)
                await broken;
            await StoreAsync(stoppingToken);
            if (!reading.IsCompleted || pages.Events >= options.MaxAhead)
                continue;
            var page = await reading;
            cursor = page.NextCursor ?? cursor;
            if (page.Items.Count > 0 && cursor is not null)
                pages.Add(cursor, [.. page.Items.Select(item => Follow(item, handling, stoppingToken))]);
            reading = feed.ReadAsync(cursor, stoppingToken);
        }
    }

    // In the order of its batch: each after the previous one.
    private Task Follow(BulkEvent item, CancellationToken handling, CancellationToken stoppingToken)
    {
        foreach (var (subject, task) in lastOfBatch.ToList())
        {
            if (task.IsCompleted)
                lastOfBatch.Remove(subject);
        }
        working.RemoveWhere(task => task.IsCompleted);
        var before = lastOfBatch.GetValueOrDefault(item.Subject) ?? Task.CompletedTask;
        var handled = HandleAsync(item, before, handling, stoppingToken);
        working.Add(handled);
        return lastOfBatch[item.Subject] = handled;
    }

    private async Task HandleAsync(BulkEvent item, Task before, CancellationToken handling, CancellationToken stoppingToken)
    {
        // A revocation overtakes the other events of its batch: it ends its reads, waits for its handler, and stops its retries.
        if (item.Type != RevokedType)
            await before.WaitAsync(stoppingToken);
        for (var attempt = 1; ; attempt++)
        {
            stoppingToken.ThrowIfCancellationRequested();
            if (await TryAsync(item, attempt, handling, stoppingToken) == Settlement.Done)
                return;
            if (attempt >= options.MaxAttempts)
            {
                Log.PassedOver(logger, item.Type, item.Id, item.Subject, attempt);
                return;
            }
            await Task.Delay(Backoff.After(attempt, options.RetryDelay, options.MaxRetryDelay), stoppingToken);
        }
    }

    private static string RevokedType { get; } = EventTypes.ToCloudEventType(EventTypes.BulkRevoked);

    private async Task<Settlement> TryAsync(
        BulkEvent item, int attempt, CancellationToken handling, CancellationToken stoppingToken)
    {
        try
        {
            var incoming = EventReader.Check(item) with { Attempt = attempt };
            return await dispatcher.DispatchAsync(incoming, stoppingToken, handling);
        }
        catch (MalformedEventException e)
        {
            Log.Malformed(logger, item.Id, e.Message);
            return Settlement.Done; // it will never change
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // It counts as a try, so that the listener skips it in the end: one event must not block the feed.
            Log.Unexpected(logger, e, item.Type, item.Id);
            return Settlement.Again;
        }
    }

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        pages.Advance();
        if (pages.Cursor is { } cursor)
            await feed.StoreAsync(cursor, cancellationToken);
    }

    // No new work from here on. What has begun may finish in time; the rest is cancelled, and comes again after the restart.
    private async Task DrainAsync(CancellationTokenSource handling)
    {
        handling.CancelAfter(options.StopTimeout);
        // All of them: one that waits for another of its batch ends at once, and the other does not.
        await Task.WhenAll(working).WaitAsync(options.StopTimeout + CleanUp)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await handling.CancelAsync();
        using var cleanUp = new CancellationTokenSource(CleanUp);
        await StoreAsync(cleanUp.Token);
        Log.Stopped(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "No longer listening to the event feed.")]
        public static partial void Stopped(ILogger logger);

        [LoggerMessage(LogLevel.Error,
            "{Type} {EventId} of batch {Subject} has failed at all {Tries} tries: the feed continues without it.")]
        public static partial void PassedOver(ILogger logger, string type, Contracts.EventId eventId, string subject, int tries);

        [LoggerMessage(LogLevel.Error, "Event {EventId} contradicts itself, and is skipped. {Reason}")]
        public static partial void Malformed(ILogger logger, Contracts.EventId eventId, string reason);

        [LoggerMessage(LogLevel.Error, "{Type} {EventId} could not be handled, and is tried again.")]
        public static partial void Unexpected(ILogger logger, Exception exception, string type, Contracts.EventId eventId);
    }
}
