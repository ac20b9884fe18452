using ClaimCheck.Contracts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Consumer.Listening;

/// <summary>
/// Listens to the event feed: passes events to the dispatcher, those of one batch in their order, reads on meanwhile, and stores
/// the cursor behind what is handled. After a crash later events come again.
/// </summary>
internal sealed partial class FeedListener(
    ClaimCheckClient client, ICursorStore cursors, FeedListenerOptions options, BatchDispatcher dispatcher, IHostApplicationLifetime host,
    ILogger<FeedListener> logger)
    : BackgroundService
{
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    private FeedPages pages = new();
    private readonly Dictionary<string, Task> lastOfBatch = new(StringComparer.Ordinal);
    private readonly HashSet<Task> working = [];
    private string? stored;

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
        var cursor = await cursors.LoadAsync(stoppingToken);
        Log.Listening(logger, cursor is null ? "its oldest event" : "the stored cursor");
        var reading = ReadAsync(cursor, stoppingToken);
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
            reading = ReadAsync(cursor, stoppingToken);
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
                Log.GivenUp(logger, item.Type, item.Id, item.Subject, attempt);
                return;
            }
            await Task.Delay(Backoff.After(attempt, options.RetryDelay, options.MaxRetryDelay), stoppingToken);
        }
    }

    private static string RevokedType { get; } = EventTypes.ToCloudEventType(EventTypes.BulkRevoked);

    private async Task<Settlement> TryAsync(BulkEvent item, int attempt, CancellationToken handling, CancellationToken stoppingToken)
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
            // It counts as a try, so that it is given up in the end: one event must not block the feed.
            Log.Unexpected(logger, e, item.Type, item.Id);
            return Settlement.Again;
        }
    }

    private async Task<Page<BulkEvent>> ReadAsync(string? cursor, CancellationToken stoppingToken)
    {
        for (var failures = 0; ;)
        {
            try
            {
                return await client.ReadEventsAsync(cursor, Wait, stoppingToken);
            }
            catch (CursorExpiredException e)
            {
                Log.CursorExpired(logger, e, options.WhenCursorExpired);
                if (options.WhenCursorExpired == ExpiredCursor.Stop)
                    throw;
                cursor = null;
            }
            catch (ClaimCheckException e)
            {
                var pause = Backoff.After(++failures, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
                if (e.IsTransient)
                    Log.NotRead(logger, pause, e.Message);
                else
                    Log.Refused(logger, e.Code, pause, e.Message);
                await Task.Delay(pause, stoppingToken);
            }
        }
    }

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        pages.Advance();
        if (pages.Cursor is not { } cursor || cursor == stored)
            return;
        try
        {
            await cursors.SaveAsync(cursor, cancellationToken);
            stored = cursor;
        }
        // It is tried again in the next round, even where a stop interrupted it; until then more events would come again.
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.NotStored(logger, Defect.Of(e));
        }
    }

    // No new work from here on. What has begun may finish in time; the rest is cancelled, and comes again after the restart.
    private async Task DrainAsync(CancellationTokenSource handling)
    {
        handling.CancelAfter(options.StopTimeout);
        // All of them: one that waits for another of its batch ends at once, and the other does not.
        await Task.WhenAll(working).WaitAsync(options.StopTimeout + CleanUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await handling.CancelAsync();
        using var cleanUp = new CancellationTokenSource(CleanUp);
        await StoreAsync(cleanUp.Token);
        Log.Stopped(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Listening to the event feed from {Start} on.")]
        public static partial void Listening(ILogger logger, string start);

        [LoggerMessage(LogLevel.Information, "No longer listening to the event feed.")]
        public static partial void Stopped(ILogger logger);

        [LoggerMessage(LogLevel.Error, "{Type} {EventId} of batch {Subject} is given up after {Attempts} attempts: the feed continues without it.")]
        public static partial void GivenUp(ILogger logger, string type, Contracts.EventId eventId, string subject, int attempts);

        [LoggerMessage(LogLevel.Error, "Event {EventId} contradicts itself, and is skipped. {Reason}")]
        public static partial void Malformed(ILogger logger, Contracts.EventId eventId, string reason);

        [LoggerMessage(LogLevel.Error, "{Type} {EventId} could not be handled, and is tried again.")]
        public static partial void Unexpected(ILogger logger, Exception exception, string type, Contracts.EventId eventId);

        [LoggerMessage(LogLevel.Error, "The cursor has expired: the events after it are no longer kept, or the service's catalog was restored. Policy: {Policy}.")]
        public static partial void CursorExpired(ILogger logger, Exception exception, ExpiredCursor policy);

        [LoggerMessage(LogLevel.Error, "The cursor could not be stored: after a restart events would come again.")]
        public static partial void NotStored(ILogger logger, Exception exception);

        [LoggerMessage(LogLevel.Error, "The event feed can't be read ({Code}), asking again in {Pause}: {Reason}")]
        public static partial void Refused(ILogger logger, string code, TimeSpan pause, string reason);

        [LoggerMessage(LogLevel.Warning, "The event feed could not be read, asking again in {Pause}: {Reason}")]
        public static partial void NotRead(ILogger logger, TimeSpan pause, string reason);
    }
}
