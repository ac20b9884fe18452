namespace ClaimCheck.Consumer;

/// <summary>How a queue is listened to. Checked when the host starts.</summary>
public sealed class SqsListenerOptions
{
    // A margin for slow calls and clocks within SQS's 12 hours.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

    /// <summary>The queue.</summary>
    public string QueueUrl { get; set; } = "";

    /// <summary>How many batches are handled at once; 4 by default, 1 to 1,000.</summary>
    public int MaxConcurrentBatches { get; set; } = 4;

    /// <summary>
    /// How many messages are received beyond those being handled; 4 by default, 0 to 1,000. They are kept hidden from others, and
    /// let a revocation be seen while all handlers are busy. Beyond them nothing is received: that is the backpressure.
    /// </summary>
    public int MaxWaiting { get; set; } = 4;

    /// <summary>How long one receive waits for a message; 20 seconds by default, which is SQS's longest; 1
    /// second at least.</summary>
    public TimeSpan PollTime { get; set; } = Sqs.MaxWait;

    /// <summary>How long a message stays hidden after its receive and after each heartbeat; 1 minute by default,
    /// whole seconds.</summary>
    public TimeSpan Visibility { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often that is renewed, from the receive on; 20 seconds by default.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a message may be held, its waiting included; 6 hours by default. After that its handler is cancelled, and it is
    /// received again.
    /// </summary>
    public TimeSpan MaxProcessing { get; set; } = TimeSpan.FromHours(6);

    /// <summary>
    /// How long a message stays hidden after its first failure, doubled for each further one, with jitter; 10 seconds by default.
    /// How often it is tried is the queue's own redrive policy (<c>maxReceiveCount</c>).
    /// </summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest such delay; 15 minutes by default.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>
    /// How long handlers may continue when the process stops, before they are cancelled and their messages released; 20 seconds
    /// by default. The host's own <c>ShutdownTimeout</c> (30 seconds) must be longer by about 5 seconds.
    /// </summary>
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(20);

    internal IEnumerable<string> Errors()
    {
        if (!Uri.TryCreate(QueueUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            yield return Wrong(
                nameof(QueueUrl), $"'{QueueUrl}'", "must be an absolute http or https address", "nothing could be received");
        if (MaxConcurrentBatches is < 1 or > 1000)
            yield return Wrong(nameof(MaxConcurrentBatches), $"{MaxConcurrentBatches}", "must be 1 to 1000",
                "nothing would be handled, or memory run out");
        if (MaxWaiting is < 0 or > 1000)
            yield return Wrong(
                nameof(MaxWaiting), $"{MaxWaiting}", "must be 0 to 1000", "messages would be kept from idle consumers");
        if (PollTime < TimeSpan.FromSeconds(1) || PollTime > Sqs.MaxWait)
            yield return Wrong(nameof(PollTime), $"{PollTime}", $"must be 1 second to {Sqs.MaxWait}",
                "an empty queue would be polled all the time, or SQS would refuse to wait");
        if (Heartbeat < TimeSpan.FromMilliseconds(100))
            yield return Wrong(
                nameof(Heartbeat), $"{Heartbeat}", "must be 100 milliseconds or more", "the queue would be called all the time");
        if (Visibility <= Heartbeat * 2)
        {
            yield return Wrong(nameof(Visibility), $"{Visibility}", $"must be more than twice {nameof(Heartbeat)} ({Heartbeat})",
                "one late heartbeat would hand the message to a second consumer");
        }
        if (MaxProcessing <= TimeSpan.Zero || MaxProcessing + Visibility > Sqs.MaxVisibility - Margin)
        {
            yield return Wrong(nameof(MaxProcessing), $"{MaxProcessing}",
                $"must be more than zero and with {nameof(Visibility)} ({Visibility}) at most {Sqs.MaxVisibility - Margin}",
                "SQS delivers a message again 12 hours after its receive, however often its visibility was extended");
        }
        if (RetryDelay < TimeSpan.Zero || MaxRetryDelay < RetryDelay || MaxRetryDelay > Sqs.MaxVisibility - Margin)
        {
            yield return Wrong(nameof(RetryDelay), $"{RetryDelay}",
                $"must be zero to {nameof(MaxRetryDelay)} ({MaxRetryDelay}), and that at most {Sqs.MaxVisibility - Margin}",
                "SQS hides no message longer");
        }
        if (StopTimeout < TimeSpan.Zero || StopTimeout > TimeSpan.FromHours(1))
            yield return Wrong(nameof(StopTimeout), $"{StopTimeout}", "must be zero to an hour", "the process would not stop");
    }

    private static string Wrong(string name, string value, string rule, string consequence) =>
        $"{nameof(SqsListenerOptions)}.{name} is {value}, but {rule}: {consequence}.";
}
