namespace ClaimCheck.Aws.SimpleNotificationService;

// The requests and answers of SNS's own SDK (AWSSDK.SimpleNotificationService), as far as they are used here, under its names.

internal sealed class MessageAttributeValue
{
    public required string DataType { get; init; }

    public required string StringValue { get; init; }
}

internal sealed class PublishRequest
{
    public required string TopicArn { get; init; }

    public required string Message { get; init; }

    public Dictionary<string, MessageAttributeValue> MessageAttributes { get; init; } = [];

    public string? MessageGroupId { get; init; }

    public string? MessageDeduplicationId { get; init; }

    // Never the content.
    public override string ToString() => $"[message of {Message.Length} characters]";
}

internal sealed record PublishResponse(string MessageId);

internal sealed class PublishBatchRequestEntry
{
    public required string Id { get; init; }

    public required string Message { get; init; }

    public Dictionary<string, MessageAttributeValue> MessageAttributes { get; init; } = [];

    public string? MessageGroupId { get; init; }

    public string? MessageDeduplicationId { get; init; }

    // Never the content.
    public override string ToString() => $"[message {Id} of {Message.Length} characters]";
}

internal sealed class PublishBatchRequest
{
    public required string TopicArn { get; init; }

    public required List<PublishBatchRequestEntry> PublishBatchRequestEntries { get; init; }
}

internal sealed record PublishBatchResultEntry(string Id, string MessageId);

internal sealed record BatchResultErrorEntry(string Id, string? Code, bool SenderFault);

internal sealed record PublishBatchResponse(List<PublishBatchResultEntry> Successful, List<BatchResultErrorEntry> Failed);

internal sealed class SubscribeRequest
{
    public required string TopicArn { get; init; }

    public required string Protocol { get; init; }

    public required string Endpoint { get; init; }

    public Dictionary<string, string> Attributes { get; init; } = [];

    public bool ReturnSubscriptionArn { get; init; }
}

internal sealed record SubscribeResponse(string SubscriptionArn);

internal sealed record Subscription(string SubscriptionArn, string Protocol, string Endpoint);

internal sealed record ListSubscriptionsByTopicResponse(List<Subscription> Subscriptions, string? NextToken);

internal sealed record GetSubscriptionAttributesResponse(Dictionary<string, string> Attributes);

internal sealed record GetTopicAttributesResponse(Dictionary<string, string> Attributes);

internal sealed class CreateTopicRequest
{
    public required string Name { get; init; }

    public Dictionary<string, string> Attributes { get; init; } = [];
}

internal sealed record CreateTopicResponse(string TopicArn);
