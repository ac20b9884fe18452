namespace ClaimCheck.Consumer;

/// <summary>
/// What a feed listener does when its cursor has expired: the events after it were deleted at the end of their retention, or the
/// service's catalog was restored from a backup, after which the cursor's position belongs to other events.
/// </summary>
public enum ExpiredCursor
{
    /// <summary>
    /// It logs an error and stops the host: events may have been missed, and somebody must check that before it continues.
    /// </summary>
    Stop,

    /// <summary>It logs an error and continues from the oldest event that is kept: an inbox knows what it has handled.</summary>
    StartFromOldest,
}

/// <summary>How the event feed is listened to. Checked when the host starts.</summary>
public sealed class FeedListenerOptions
{
    /// <summary>How many batches are handled at once; 4 by default, 1 to 1,000.</summary>
    public int MaxConcurrentBatches { get; set; } = 4;

    /// <summary>
    /// How many events may be read beyond the stored cursor; 200 by default, 1 to 10,000. That many others can continue while one
    /// event fails repeatedly, and after a crash about that many come again at most.
    /// </summary>
    public int MaxAhead { get; set; } = 200;

    /// <summary>
    /// How often an event is passed to the handler before it is passed over, with an error in the log: the feed has no dead
    /// letter queue, and must not be blocked for ever. 10 by default (about 9 minutes with the default delays), 1 to 1,000.
    /// </summary>
    public int MaxAttempts { get; set; } = 10;

    /// <summary>The delay after the first failure, doubled for each further one, with jitter; 1 second by default.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest such delay; 5 minutes by default.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What to do about a cursor that has expired; <see cref="ExpiredCursor.StartFromOldest"/> by default.</summary>
    public ExpiredCursor WhenCursorExpired { get; set; } = ExpiredCursor.StartFromOldest;

    /// <summary>
    /// How long handlers may continue when the process stops, before they are cancelled; 20 seconds by default.
    /// </summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);

    internal IEnumerable<string> Errors()
    {
        if (MaxConcurrentBatches is < 1 or > 1000)
            yield return Wrong(nameof(MaxConcurrentBatches), $"{MaxConcurrentBatches}", "must be 1 to 1000",
                "nothing would be handled, or memory run out");
        if (MaxAhead is < 1 or > 10_000)
            yield return Wrong(nameof(MaxAhead), $"{MaxAhead}", "must be 1 to 10000", "nothing would be read, or memory run out");
        if (MaxAttempts is < 1 or > 1000)
            yield return Wrong(nameof(MaxAttempts), $"{MaxAttempts}", "must be 1 to 1000",
                "an event would be tried never, or hold the cursor for ever");
        if (RetryDelay < TimeSpan.Zero || MaxRetryDelay < RetryDelay || MaxRetryDelay > TimeSpan.FromHours(12))
        {
            yield return Wrong(nameof(RetryDelay), $"{RetryDelay}",
                $"must be zero to {nameof(MaxRetryDelay)} ({MaxRetryDelay}), and that at most 12 hours",
                "the cursor would not advance");
        }
        if (StopTimeout < TimeSpan.Zero || StopTimeout > TimeSpan.FromHours(1))
            yield return Wrong(nameof(StopTimeout), $"{StopTimeout}", "must be zero to an hour", "the process would not stop");
    }

    private static string Wrong(string name, string value, string rule, string consequence) =>
        $"{nameof(FeedListenerOptions)}.{name} is {value}, but {rule}: {consequence}.";
}
