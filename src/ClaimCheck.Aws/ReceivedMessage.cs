namespace ClaimCheck.Aws;

/// <summary>A message that a queue handed out. Its text form names it, never what it holds.</summary>
public sealed class ReceivedMessage
{
    /// <summary>The queue's id of the message; the same each time it is handed out, and in a dead letter queue.</summary>
    public required string MessageId { get; init; }

    /// <summary>
    /// What deletes this handing-out of the message, or changes how long it stays hidden. A later one has another, and this one
    /// is then stale: deleting by it succeeds and deletes nothing.
    /// </summary>
    public required string ReceiptHandle { get; init; }

    /// <summary>The text as it was sent; from a topic without raw delivery an envelope (see <see cref="DeliveredMessage"/>).</summary>
    public required string Body { get; init; }

    /// <summary>Attributes of the message that are text or numbers; none where a topic delivers an envelope.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>How often it was handed out, this time included; approximately, says AWS. 1 where the server does not say.</summary>
    public int ReceiveCount { get; init; } = 1;

    /// <summary>
    /// When it was sent to the queue, on the server's clock; its retention counts from here, also in a dead letter queue. Null
    /// where the server does not say.
    /// </summary>
    public DateTimeOffset? SentAt { get; init; }

    /// <summary>When it was first handed out, on the server's clock; null where the server does not say.</summary>
    public DateTimeOffset? FirstReceivedAt { get; init; }

    /// <summary>The group, from a FIFO queue; else null.</summary>
    public string? GroupId { get; init; }

    /// <summary>The id and the count.</summary>
    public override string ToString() => $"[message {MessageId}, received {ReceiveCount} times]";
}

/// <summary>How long a message is to stay hidden from now on. Its text form does not show the handle.</summary>
/// <param name="receiptHandle">The newest one of the message.</param>
/// <param name="visibility">
/// From now: zero hands it out again at once. Whole seconds; at most 12 hours, counted from when it was received
/// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html).
/// </param>
public sealed class VisibilityChange(string receiptHandle, TimeSpan visibility)
{
    /// <summary>The newest handle of the message.</summary>
    public string ReceiptHandle { get; } = receiptHandle;

    /// <summary>How long, from now.</summary>
    public TimeSpan Visibility { get; } = visibility;

    /// <summary>How long.</summary>
    public override string ToString() => $"[hidden for {Visibility}]";
}
