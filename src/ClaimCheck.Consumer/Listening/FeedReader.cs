namespace ClaimCheck.Consumer.Listening;

/// <summary>Reads the event feed, however long it takes, and stores the cursor.</summary>
internal sealed partial class FeedReader(
    ClaimCheckClient client, ICursorStore cursors, FeedListenerOptions options, ILogger<FeedListener> logger)
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    private string? stored;

    /// <returns>Null where no cursor was stored yet.</returns>
    public async Task<string?> LoadAsync(CancellationToken cancellationToken)
    {
        var cursor = await cursors.LoadAsync(cancellationToken);
        Log.Listening(logger, cursor is null ? "its oldest event" : "the stored cursor");
        return cursor;
    }

    /// <summary>The events behind a cursor, or the oldest; polled until they come.</summary>
    /// <exception cref="CursorExpiredException">The cursor has expired, and the options require a stop then.</exception>
    public async Task<Page<BulkEvent>> ReadAsync(string? cursor, CancellationToken stoppingToken)
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

    public async Task StoreAsync(string cursor, CancellationToken cancellationToken)
    {
        if (cursor == stored)
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

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Listening to the event feed from {Start} on.")]
        public static partial void Listening(ILogger logger, string start);

        [LoggerMessage(LogLevel.Error, "The cursor has expired: the events after it were deleted at the end of their retention, "
            + "or the service's catalog was restored. Policy: {Policy}.")]
        public static partial void CursorExpired(ILogger logger, Exception exception, ExpiredCursor policy);

        [LoggerMessage(LogLevel.Error, "The cursor could not be stored: after a restart events would come again.")]
        public static partial void NotStored(ILogger logger, Exception exception);

        [LoggerMessage(LogLevel.Error, "The event feed can't be read ({Code}), asking again in {Pause}: {Reason}")]
        public static partial void Refused(ILogger logger, string code, TimeSpan pause, string reason);

        [LoggerMessage(LogLevel.Warning, "The event feed could not be read, asking again in {Pause}: {Reason}")]
        public static partial void NotRead(ILogger logger, TimeSpan pause, string reason);
    }
}
