using System.Globalization;
using System.Xml.Linq;

namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>
/// A client of Amazon SNS (https://docs.aws.amazon.com/sns/latest/api/), or a server with its protocol, in the shape of its own
/// SDK's client: AWSSDK.SimpleNotificationService replaces this folder once it is available. Each call is signed, retried where
/// that may help, and throws an <see cref="AwsMessagingException"/>. Because of the retries, messages are published at least
/// once.
/// </summary>
internal sealed class AmazonSimpleNotificationServiceClient : IDisposable
{
    private readonly DeferredClient wire;

    /// <summary>Does not connect yet.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public AmazonSimpleNotificationServiceClient(AwsMessagingOptions? options = null) =>
        wire = new DeferredClient(QueryProtocol.Version, options ?? new AwsMessagingOptions(), QueryProtocol.ReadError);

    public async Task<PublishResponse> PublishAsync(PublishRequest request, CancellationToken cancellationToken = default) =>
        new(await CallAsync(
            "Publish", request.TopicArn,
            [
                new("TopicArn", request.TopicArn),
                .. QueryProtocol.Message(
                    "", request.Message, request.MessageAttributes, request.MessageGroupId, request.MessageDeduplicationId),
            ],
            result => QueryProtocol.RequiredText(result, "MessageId"), cancellationToken, holdsMessages: true));

    /// <summary>Up to ten messages, of 256 KiB together.</summary>
    public Task<PublishBatchResponse> PublishBatchAsync(
        PublishBatchRequest request, CancellationToken cancellationToken = default)
    {
        var entries = request.PublishBatchRequestEntries.SelectMany((entry, index) =>
        {
            var prefix = $"PublishBatchRequestEntries.member.{(index + 1).ToString(CultureInfo.InvariantCulture)}.";
            return QueryProtocol.Message(
                prefix, entry.Message, entry.MessageAttributes, entry.MessageGroupId, entry.MessageDeduplicationId)
                .Prepend(new(prefix + "Id", entry.Id));
        });
        return CallAsync("PublishBatch", request.TopicArn, [new("TopicArn", request.TopicArn), .. entries], ReadOutcomes,
            cancellationToken, holdsMessages: true);
    }

    public async Task<SubscribeResponse> SubscribeAsync(
        SubscribeRequest request, CancellationToken cancellationToken = default) =>
        new(await CallAsync(
            "Subscribe", request.TopicArn,
            [
                new("TopicArn", request.TopicArn), new("Protocol", request.Protocol), new("Endpoint", request.Endpoint),
                new("ReturnSubscriptionArn", request.ReturnSubscriptionArn ? "true" : "false"),
                .. QueryProtocol.Map(request.Attributes),
            ],
            result => QueryProtocol.RequiredText(result, "SubscriptionArn"), cancellationToken));

    public Task UnsubscribeAsync(string subscriptionArn, CancellationToken cancellationToken = default) =>
        CallAsync("Unsubscribe", subscriptionArn, [new("SubscriptionArn", subscriptionArn)], _ => true, cancellationToken);

    public Task SetSubscriptionAttributesAsync(
        string subscriptionArn, string attributeName, string attributeValue, CancellationToken cancellationToken = default) =>
        CallAsync(
            "SetSubscriptionAttributes", subscriptionArn,
            [new("SubscriptionArn", subscriptionArn), new("AttributeName", attributeName), new("AttributeValue", attributeValue)],
            _ => true, cancellationToken);

    public Task<GetSubscriptionAttributesResponse> GetSubscriptionAttributesAsync(
        string subscriptionArn, CancellationToken cancellationToken = default) =>
        CallAsync(
            "GetSubscriptionAttributes", subscriptionArn, [new("SubscriptionArn", subscriptionArn)],
            result => new GetSubscriptionAttributesResponse(QueryProtocol.ReadMap(result, "Attributes")), cancellationToken);

    /// <summary>A page of up to 100 subscriptions.</summary>
    public Task<ListSubscriptionsByTopicResponse> ListSubscriptionsByTopicAsync(
        string topicArn, string? nextToken, CancellationToken cancellationToken = default) =>
        CallAsync(
            "ListSubscriptionsByTopic", topicArn,
            nextToken is null ? [new("TopicArn", topicArn)] : [new("TopicArn", topicArn), new("NextToken", nextToken)],
            result => new ListSubscriptionsByTopicResponse(
                [.. QueryProtocol.Members(result, "Subscriptions").Select(member => new Subscription(
                    QueryProtocol.RequiredText(member, "SubscriptionArn"), QueryProtocol.RequiredText(member, "Protocol"),
                    QueryProtocol.Text(member, "Endpoint") ?? ""))],
                QueryProtocol.Text(result, "NextToken") is { Length: > 0 } next ? next : null),
            cancellationToken);

    public Task<GetTopicAttributesResponse> GetTopicAttributesAsync(
        string topicArn, CancellationToken cancellationToken = default) =>
        CallAsync(
            "GetTopicAttributes", topicArn, [new("TopicArn", topicArn)],
            result => new GetTopicAttributesResponse(QueryProtocol.ReadMap(result, "Attributes")), cancellationToken);

    public async Task<CreateTopicResponse> CreateTopicAsync(
        CreateTopicRequest request, CancellationToken cancellationToken = default) =>
        new(await CallAsync(
            "CreateTopic", request.Name, [new("Name", request.Name), .. QueryProtocol.Map(request.Attributes)],
            result => QueryProtocol.RequiredText(result, "TopicArn"), cancellationToken));

    public Task DeleteTopicAsync(string topicArn, CancellationToken cancellationToken = default) =>
        CallAsync("DeleteTopic", topicArn, [new("TopicArn", topicArn)], _ => true, cancellationToken);

    public void Dispose() => wire.Dispose();

    private Task<T> CallAsync<T>(
        string operation, string on, IEnumerable<KeyValuePair<string, string>> parameters, Func<XElement, T> read,
        CancellationToken cancellationToken,
        bool holdsMessages = false) =>
        wire.CallAsync(QueryProtocol.Call(operation, on, parameters, holdsMessages), QueryProtocol.Reading(operation, read),
            cancellationToken);

    private static PublishBatchResponse ReadOutcomes(XElement result) => new(
        [.. QueryProtocol.Members(result, "Successful").Select(entry =>
            new PublishBatchResultEntry(
                QueryProtocol.RequiredText(entry, "Id"), QueryProtocol.RequiredText(entry, "MessageId")))],
        [.. QueryProtocol.Members(result, "Failed").Select(entry =>
            new BatchResultErrorEntry(QueryProtocol.RequiredText(entry, "Id"), QueryProtocol.Text(entry, "Code"),
                QueryProtocol.Text(entry, "SenderFault") != "false"))]);
}
