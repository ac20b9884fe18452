using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Testing;

/// <summary>What tests ask of a topic, in a line each.</summary>
internal static class Topics
{
    /// <returns>The new topic's ARN.</returns>
    public static async Task<string> CreateAsync(
        this AmazonSimpleNotificationServiceClient sns, string name, Dictionary<string, string>? attributes = null) =>
        (await sns.CreateTopicAsync(new CreateTopicRequest { Name = name, Attributes = attributes ?? [] })).TopicArn;

    /// <returns>The subscription's ARN.</returns>
    public static async Task<string> SubscribeAsync(
        this AmazonSimpleNotificationServiceClient sns, string topicArn, string queueArn, SubscriptionOptions? options = null) =>
        (await sns.SubscribeAsync(new SubscribeRequest
        {
            TopicArn = topicArn,
            Protocol = "sqs",
            Endpoint = queueArn,
            Attributes = (options ?? new SubscriptionOptions()).ToAttributes(),
            ReturnSubscriptionArn = true,
        })).SubscriptionArn;

    /// <returns>The message's id.</returns>
    public static async Task<string> PublishAsync(
        this AmazonSimpleNotificationServiceClient sns, string topicArn, OutgoingMessage message) =>
        (await sns.PublishAsync(new PublishRequest
        {
            TopicArn = topicArn,
            Message = message.Body,
            MessageAttributes = Attributes(message),
            MessageGroupId = message.GroupId,
            MessageDeduplicationId = message.DeduplicationId,
        })).MessageId;

    /// <summary>Up to ten; their ids are their places.</summary>
    public static Task<PublishBatchResponse> PublishBatchAsync(
        this AmazonSimpleNotificationServiceClient sns, string topicArn, IReadOnlyList<OutgoingMessage> messages) =>
        sns.PublishBatchAsync(new PublishBatchRequest
        {
            TopicArn = topicArn,
            PublishBatchRequestEntries = [.. messages.Select((message, index) => new PublishBatchRequestEntry
            {
                Id = $"{index}",
                Message = message.Body,
                MessageAttributes = Attributes(message),
                MessageGroupId = message.GroupId,
                MessageDeduplicationId = message.DeduplicationId,
            })],
        });

    private static Dictionary<string, MessageAttributeValue> Attributes(OutgoingMessage message) =>
        message.Attributes.ToDictionary(attribute => attribute.Key, attribute =>
            new MessageAttributeValue { DataType = "String", StringValue = attribute.Value });
}
