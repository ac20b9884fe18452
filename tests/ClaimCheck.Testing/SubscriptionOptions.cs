using System.Text.Json;

namespace ClaimCheck.Testing;

/// <summary>What a queue gets of a topic, and how.</summary>
internal sealed class SubscriptionOptions
{
    /// <summary>
    /// True (the default): the queue gets messages as they were published, attributes as attributes. False: in an envelope
    /// (see <see cref="Aws.DeliveredMessage"/>).
    /// </summary>
    public bool RawDelivery { get; init; } = true;

    /// <summary>
    /// The attributes that a message must have, each with one of the values, for example <c>type</c>: <c>BulkReady</c>; null (the
    /// default) for every message. At most five attributes, and 150 combinations of values
    /// (https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html).
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyCollection<string>>? Filter { get; init; }

    /// <summary>
    /// The queue for messages that the topic can't deliver because of the subscriber (missing queue, no permission to send); null
    /// (the default): they are lost.
    /// </summary>
    public string? DeadLetterQueueArn { get; init; }

    /// <summary>The filter as SNS takes it.</summary>
    /// <param name="filter">Attributes and their values.</param>
    public static string FilterPolicy(IReadOnlyDictionary<string, IReadOnlyCollection<string>> filter) =>
        JsonSerializer.Serialize(filter);

    public Dictionary<string, string> ToAttributes()
    {
        var attributes = new Dictionary<string, string> { ["RawMessageDelivery"] = RawDelivery ? "true" : "false" };
        if (Filter is not null)
            attributes["FilterPolicy"] = FilterPolicy(Filter);
        if (DeadLetterQueueArn is not null)
            attributes["RedrivePolicy"] = JsonSerializer.Serialize(
                new Dictionary<string, string> { ["deadLetterTargetArn"] = DeadLetterQueueArn });
        return attributes;
    }
}
