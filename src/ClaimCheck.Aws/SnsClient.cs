using System.Globalization;
using ClaimCheck.Aws.Sns;
using ClaimCheck.Aws.Wire;

namespace ClaimCheck.Aws;

/// <summary>
/// Amazon SNS (https://docs.aws.amazon.com/sns/latest/api/), or what speaks its protocol. For any number of calls at once; whoever
/// makes it disposes it. Each call is signed, tried again up to <see cref="AwsMessagingOptions.MaxAttempts"/> times where that may
/// help, and ends promptly when it is cancelled. Because of the tries, what is published is published at least once.
/// </summary>
public sealed class SnsClient : IDisposable
{
    /// <summary>256 KiB: the most that one message, or a batch, may have with its attributes.</summary>
    public const int MaxMessageBytes = 256 << 10;

    private readonly Caller wire;

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="options">By default all as AWS's SDKs find it.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public SnsClient(AwsMessagingOptions? options = null)
    {
        wire = new Caller(SnsProtocol.Version, options ?? new AwsMessagingOptions(), SnsProtocol.ReadError);
    }

    /// <summary>Publishes a message; at least once.</summary>
    /// <param name="topicArn">The topic.</param>
    /// <param name="message">At most <see cref="MaxMessageBytes"/>.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been published.</param>
    /// <returns>The id that it got.</returns>
    /// <exception cref="AwsMessagingException">It failed, also when tried again; or the message is one that SNS does not take.</exception>
    public Task<string> PublishAsync(string topicArn, OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        Limits.Check(message, "The message");
        Limits.CheckSize(message.SizeInBytes, MaxMessageBytes, "The message");
        return wire.CallAsync(
            SnsProtocol.Call("Publish", topicArn, [new("TopicArn", topicArn), .. SnsProtocol.Message(message)], holdsMessages: true),
            SnsProtocol.Reading("Publish", result => SnsProtocol.RequiredText(result, "MessageId")), cancellationToken);
    }

    /// <summary>Publishes messages; each at least once.</summary>
    /// <param name="topicArn">The topic.</param>
    /// <param name="messages">1 to 10; together at most <see cref="MaxMessageBytes"/>.</param>
    /// <param name="cancellationToken">Cancels the call; they may have been published.</param>
    /// <returns>An outcome for each message, in their order.</returns>
    /// <exception cref="AwsMessagingException">The call as a whole failed, also when tried again; or they are ones that SNS does not take.</exception>
    public Task<IReadOnlyList<BatchOutcome>> PublishBatchAsync(
        string topicArn, IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        BatchEntries.Check(messages.Count);
        for (var i = 0; i < messages.Count; i++)
            Limits.Check(messages[i], $"Message {i} of the batch");
        Limits.CheckSize(messages.Sum(message => message.SizeInBytes), MaxMessageBytes, "The batch");
        var entries = messages.SelectMany((message, index) =>
        {
            var prefix = $"PublishBatchRequestEntries.member.{(index + 1).ToString(CultureInfo.InvariantCulture)}.";
            return SnsProtocol.Message(message, prefix).Prepend(new(prefix + "Id", BatchEntries.Id(index)));
        });
        return wire.CallAsync(
            SnsProtocol.Call("PublishBatch", topicArn, [new("TopicArn", topicArn), .. entries], holdsMessages: true),
            SnsProtocol.Reading<IReadOnlyList<BatchOutcome>>(
                "PublishBatch", result => SnsProtocol.ReadOutcomes(result, "SNS PublishBatch", messages.Count)),
            cancellationToken);
    }

    /// <summary>
    /// Subscribes a queue to a topic, or finds its subscription with the same options. The queue's policy must let the topic send
    /// (https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html). A FIFO topic takes only FIFO queues of its region.
    /// </summary>
    /// <param name="topicArn">The topic.</param>
    /// <param name="queueArn">The queue.</param>
    /// <param name="options">By default raw delivery of everything.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been subscribed.</param>
    /// <returns>The subscription's ARN.</returns>
    /// <exception cref="AwsMessagingException">It failed; of the kind <see cref="AwsFailure.Invalid"/> where the same queue is subscribed with other options.</exception>
    public Task<string> SubscribeAsync(
        string topicArn, string queueArn, SubscriptionOptions? options = null, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SnsProtocol.Call("Subscribe", topicArn,
            [
                new("TopicArn", topicArn), new("Protocol", "sqs"), new("Endpoint", queueArn), new("ReturnSubscriptionArn", "true"),
                .. SnsProtocol.Map((options ?? new SubscriptionOptions()).ToAttributes()),
            ]),
            SnsProtocol.Reading("Subscribe", result => SnsProtocol.RequiredText(result, "SubscriptionArn")), cancellationToken);

    /// <summary>Ends a subscription. One that does not exist is ended.</summary>
    /// <param name="subscriptionArn">The subscription.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been ended.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task UnsubscribeAsync(string subscriptionArn, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SnsProtocol.Call("Unsubscribe", subscriptionArn, [new("SubscriptionArn", subscriptionArn)]),
            SnsProtocol.Reading("Unsubscribe", _ => true), cancellationToken);

    /// <summary>Changes one attribute of a subscription. AWS takes up to 15 minutes to apply a filter policy.</summary>
    /// <param name="subscriptionArn">The subscription.</param>
    /// <param name="name">As AWS names it (https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html), for example <c>FilterPolicy</c>.</param>
    /// <param name="value">For most names JSON.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been changed.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task SetSubscriptionAttributeAsync(
        string subscriptionArn, string name, string value, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SnsProtocol.Call("SetSubscriptionAttributes", subscriptionArn,
                [new("SubscriptionArn", subscriptionArn), new("AttributeName", name), new("AttributeValue", value)]),
            SnsProtocol.Reading("SetSubscriptionAttributes", _ => true), cancellationToken);

    /// <summary>All attributes of a subscription, as AWS names them: <c>FilterPolicy</c>, <c>RawMessageDelivery</c>, …</summary>
    /// <param name="subscriptionArn">The subscription.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task<IReadOnlyDictionary<string, string>> GetSubscriptionAttributesAsync(
        string subscriptionArn, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SnsProtocol.Call("GetSubscriptionAttributes", subscriptionArn, [new("SubscriptionArn", subscriptionArn)]),
            SnsProtocol.Reading<IReadOnlyDictionary<string, string>>(
                "GetSubscriptionAttributes", result => SnsProtocol.ReadMap(result, "Attributes")),
            cancellationToken);

    /// <summary>A page of up to 100 subscriptions of a topic.</summary>
    /// <param name="topicArn">The topic.</param>
    /// <param name="nextToken">What the page before ended with; null for the first one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task<SubscriptionPage> ListSubscriptionsByTopicAsync(
        string topicArn, string? nextToken = null, CancellationToken cancellationToken = default)
    {
        List<KeyValuePair<string, string>> parameters = [new("TopicArn", topicArn)];
        if (nextToken is not null)
            parameters.Add(new("NextToken", nextToken));
        return wire.CallAsync(
            SnsProtocol.Call("ListSubscriptionsByTopic", topicArn, parameters),
            SnsProtocol.Reading("ListSubscriptionsByTopic", result => new SubscriptionPage(
                [.. SnsProtocol.Members(result, "Subscriptions").Select(member => new TopicSubscription(
                    SnsProtocol.RequiredText(member, "SubscriptionArn"), SnsProtocol.RequiredText(member, "Protocol"),
                    SnsProtocol.Text(member, "Endpoint") ?? ""))],
                SnsProtocol.Text(result, "NextToken") is { Length: > 0 } next ? next : null)),
            cancellationToken);
    }

    /// <summary>All attributes of a topic, as AWS names them: <c>TopicArn</c>, <c>SubscriptionsConfirmed</c>, <c>FifoTopic</c>, … A check that it is there.</summary>
    /// <param name="topicArn">The topic.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="AwsMessagingException">It failed; of the kind <see cref="AwsFailure.NotFound"/> where there is no such topic.</exception>
    public Task<IReadOnlyDictionary<string, string>> GetTopicAttributesAsync(string topicArn, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SnsProtocol.Call("GetTopicAttributes", topicArn, [new("TopicArn", topicArn)]),
            SnsProtocol.Reading<IReadOnlyDictionary<string, string>>("GetTopicAttributes", result => SnsProtocol.ReadMap(result, "Attributes")),
            cancellationToken);

    /// <summary>Makes a topic, or finds one of that name with the same attributes.</summary>
    /// <param name="name">Up to 256 letters, digits, hyphens and underscores; a FIFO topic's ends in <c>.fifo</c>.</param>
    /// <param name="attributes">As AWS names them, for example <c>FifoTopic</c>; by default its defaults.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been made.</param>
    /// <returns>Its ARN.</returns>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task<string> CreateTopicAsync(
        string name, IReadOnlyDictionary<string, string>? attributes = null, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SnsProtocol.Call("CreateTopic", name, [new("Name", name), .. SnsProtocol.Map(attributes ?? new Dictionary<string, string>())]),
            SnsProtocol.Reading("CreateTopic", result => SnsProtocol.RequiredText(result, "TopicArn")), cancellationToken);

    /// <summary>Deletes a topic with all its subscriptions. One that does not exist is deleted.</summary>
    /// <param name="topicArn">The topic.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been deleted.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task DeleteTopicAsync(string topicArn, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SnsProtocol.Call("DeleteTopic", topicArn, [new("TopicArn", topicArn)]),
            SnsProtocol.Reading("DeleteTopic", _ => true), cancellationToken);

    /// <summary>Closes the connections; calls that are under way fail.</summary>
    public void Dispose() => wire.Dispose();
}
