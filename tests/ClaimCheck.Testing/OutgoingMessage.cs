namespace ClaimCheck.Testing;

/// <summary>A message that a test publishes or sends.</summary>
internal sealed record OutgoingMessage(string Body)
{
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>For FIFO topics and queues.</summary>
    public string? GroupId { get; init; }

    /// <summary>For FIFO topics and queues.</summary>
    public string? DeduplicationId { get; init; }
}
