using System.Diagnostics;
using Amazon.SQS.Model;
using ClaimCheck.Aws.SimpleNotificationService;
using ClaimCheck.Testing;

namespace ClaimCheck.Aws.Tests;

/// <summary>Against a real server.</summary>
public sealed class Topics_and_queues
{
    private static readonly Dictionary<string, string> Ready = new()
    {
        ["type"] = "BulkReady",
        ["dataset"] = "orders",
        ["tenant"] = "default",
        ["consumer"] = "*",
        ["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };

    [Fact]
    public async Task What_is_published_reaches_the_queues_whose_filter_it_passes_raw()
    {
        var server = await QueueEndpoint.GetAsync();
        var topic = await server.NewTopicAsync();
        var orders = await server.NewQueueAsync(
            topic, new SubscriptionOptions { Filter = Filter("dataset", "orders", "refunds") });
        var customers = await server.NewQueueAsync(topic, new SubscriptionOptions { Filter = Filter("dataset", "customers") });
        const string body = """{ "text": "é😀 <&> \"quoted\" + 100% a=b&c=d", "line": "1\n2\t3" }""";

        var id = await server.Sns.PublishAsync(topic, new OutgoingMessage(body) { Attributes = Ready });

        var message = Assert.Single(await server.Sqs.ReceiveAsync(orders.Url, wait: TimeSpan.FromSeconds(20)));
        Assert.NotEmpty(id);
        Assert.Equal(body, message.Body);
        Assert.Equal(Ready, message.Texts());
        Assert.Equal(1, message.ReceiveCount());
        var delivered = DeliveredMessage.Open(message);
        Assert.False(delivered.WasEnveloped);
        Assert.Equal(
            ("BulkReady", "orders", "default", "*"), (delivered.Type, delivered.Dataset, delivered.Tenant, delivered.Consumer));
        Assert.Empty(await server.Sqs.ReceiveAsync(customers.Url, wait: TimeSpan.Zero));
    }

    [Fact]
    public async Task Without_raw_delivery_the_envelope_is_opened()
    {
        var server = await QueueEndpoint.GetAsync();
        var topic = await server.NewTopicAsync();
        var queue = await server.NewQueueAsync(topic, new SubscriptionOptions { RawDelivery = false });

        await server.Sns.PublishAsync(topic, new OutgoingMessage("""{"a":"\"é😀"}""") { Attributes = Ready });

        var delivered = DeliveredMessage.Open(
            Assert.Single(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20))));
        Assert.True(delivered.WasEnveloped);
        Assert.Equal(topic, delivered.TopicArn);
        Assert.Equal("""{"a":"\"é😀"}""", delivered.Body);
        Assert.Equal(Ready, delivered.Attributes);
        Assert.Equal(Ready["traceparent"], delivered.TraceParent);
    }

    [Fact]
    public async Task A_message_is_hidden_comes_back_when_it_is_let_go_and_is_gone_when_it_is_deleted()
    {
        var server = await QueueEndpoint.GetAsync();
        var queue = await server.NewQueueAsync();
        await server.Sqs.SendAsync(queue.Url, new OutgoingMessage("one") { Attributes = Ready });
        var first = Assert.Single(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20)));
        Assert.Empty(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.Zero));

        await server.Sqs.ReleaseAsync(queue.Url, first);
        var second = Assert.Single(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20)));
        await server.Sqs.DeleteAsync(queue.Url, [second]);

        Assert.Equal((first.MessageId, 2), (second.MessageId, second.ReceiveCount()));
        Assert.NotEqual(first.ReceiptHandle, second.ReceiptHandle);
        Assert.Equal("0", (await server.Sqs.AttributesAsync(queue.Url))["ApproximateNumberOfMessagesNotVisible"]);
        Assert.Empty(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.Zero));
    }

    [Fact]
    public async Task Deleting_by_a_stale_handle_succeeds_and_deletes_nothing()
    {
        var server = await QueueEndpoint.GetAsync();
        var queue = await server.NewQueueAsync();
        await server.Sqs.SendAsync(queue.Url, new OutgoingMessage("one"));
        var first = Assert.Single(
            await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20), visibility: TimeSpan.Zero));
        var second = Assert.Single(
            await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20), visibility: TimeSpan.FromMinutes(1)));

        await server.Sqs.DeleteAsync(queue.Url, [first]);

        await server.Sqs.ReleaseAsync(queue.Url, second);
        Assert.Equal(
            second.MessageId, Assert.Single(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20))).MessageId);
    }

    [Fact]
    public async Task A_message_goes_to_the_dead_letter_queue_after_exactly_so_many_receives_and_its_neighbour_goes_on()
    {
        var server = await QueueEndpoint.GetAsync();
        var queue = await server.NewQueueAsync(maxReceiveCount: 3);
        await server.Sqs.SendAsync(queue.Url, new OutgoingMessage("poison"));
        for (var count = 1; count <= 3; count++)
        {
            var message = Assert.Single(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20)));
            Assert.Equal(count, message.ReceiveCount());
            Assert.Empty(await server.Sqs.ReceiveAsync(queue.DeadLetterUrl, wait: TimeSpan.Zero));
            await server.Sqs.ReleaseAsync(queue.Url, message);
        }
        await server.Sqs.SendAsync(queue.Url, new OutgoingMessage("neighbour"));

        var left = await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(20));

        Assert.Equal("neighbour", Assert.Single(left).Body);
        var dead = await server.Sqs.ReceiveAsync(queue.DeadLetterUrl, wait: TimeSpan.FromSeconds(20));
        Assert.Equal("poison", Assert.Single(dead).Body);
    }

    [Fact]
    public async Task Batches_are_sent_published_received_and_deleted_by_the_ten()
    {
        var server = await QueueEndpoint.GetAsync();
        var topic = await server.NewTopicAsync();
        var queue = await server.NewQueueAsync(topic);
        var messages = Enumerable.Range(0, 10).Select(i => new OutgoingMessage($"message {i}") { Attributes = Ready }).ToList();

        var published = await server.Sns.PublishBatchAsync(topic, messages);
        foreach (var message in messages)
            await server.Sqs.SendAsync(queue.Url, message);
        var received = new List<Message>();
        await Eventually.TrueAsync(async () =>
        {
            received.AddRange(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(1)));
            return received.Count >= 20;
        });
        foreach (var ten in received.Chunk(10))
            await server.Sqs.DeleteAsync(queue.Url, ten);

        Assert.Equal(10, published.Successful.Select(entry => entry.MessageId).Distinct().Count());
        Assert.Equal(Enumerable.Repeat(2, 10), received.GroupBy(message => message.Body).Select(group => group.Count()));
        Assert.All(received, message => Assert.Equal(Ready, message.Texts()));
    }

    [Fact]
    public async Task One_bad_entry_of_a_batch_fails_alone()
    {
        var server = await QueueEndpoint.GetAsync();
        var topic = await server.NewTopicAsync(fifo: true);
        OutgoingMessage Message(string body, string? group) => new(body) { GroupId = group, DeduplicationId = body };

        var answer = await server.Sns.PublishBatchAsync(topic, [Message("a", "g"), Message("b", group: null), Message("c", "g")]);

        Assert.Equal(["0", "2"], answer.Successful.Select(entry => entry.Id).Order(StringComparer.Ordinal));
        Assert.Equal(("1", true), (Assert.Single(answer.Failed).Id, answer.Failed[0].SenderFault));
    }

    [Fact]
    public async Task A_fifo_topic_keeps_the_order_and_drops_duplicates()
    {
        var server = await QueueEndpoint.GetAsync();
        var topic = await server.NewTopicAsync(fifo: true);
        var queue = await server.NewQueueAsync(topic, fifo: true);
        foreach (var body in new[] { "1", "2", "2", "3" })
            await server.Sns.PublishAsync(
                topic, new OutgoingMessage(body) { GroupId = "orders", DeduplicationId = "event " + body });

        // While a message of a group is in flight, its followers may be held back.
        var received = new List<Message>();
        await Eventually.TrueAsync(async () =>
        {
            var next = await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(1));
            if (next.Count > 0)
                await server.Sqs.DeleteAsync(queue.Url, next);
            received.AddRange(next);
            return received.Count >= 3 && next.Count == 0;
        });

        Assert.Equal(["1", "2", "3"], received.Select(message => message.Body));
        Assert.All(received, message => Assert.Equal("orders", message.Attributes["MessageGroupId"]));
    }

    [Fact]
    public async Task Subscriptions_are_listed_changed_and_ended()
    {
        var server = await QueueEndpoint.GetAsync();
        var topic = await server.NewTopicAsync();
        var queue = await server.NewQueueAsync(topic);
        var subscription = Assert.Single((await server.Sns.ListSubscriptionsByTopicAsync(topic, null)).Subscriptions);
        Assert.Equal(new Subscription(queue.SubscriptionArn!, "sqs", queue.Arn), subscription);

        await server.Sns.SetSubscriptionAttributesAsync(
            subscription.SubscriptionArn, "FilterPolicy", SubscriptionOptions.FilterPolicy(Filter("type", "BulkRevoked")));
        var attributes = (await server.Sns.GetSubscriptionAttributesAsync(subscription.SubscriptionArn)).Attributes;
        await server.Sns.PublishAsync(topic, new OutgoingMessage("filtered") { Attributes = Ready });
        await server.Sns.UnsubscribeAsync(subscription.SubscriptionArn);
        await server.Sns.PublishAsync(
            topic, new OutgoingMessage("too late") { Attributes = new Dictionary<string, string> { ["type"] = "BulkRevoked" } });

        Assert.Equal("true", attributes["RawMessageDelivery"]);
        Assert.Equal("""{"type":["BulkRevoked"]}""", attributes["FilterPolicy"]);
        Assert.Empty((await server.Sns.ListSubscriptionsByTopicAsync(topic, null)).Subscriptions);
        Assert.Empty(await server.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.Zero));
    }

    [Fact]
    public async Task A_queue_is_found_by_its_name_and_owner()
    {
        var server = await QueueEndpoint.GetAsync();
        var queue = await server.NewQueueAsync();

        var (account, name) = (queue.Arn.Split(':')[4], queue.Arn.Split(':')[5]);

        Assert.Equal(queue.Url, (await server.Sqs.GetQueueUrlAsync(
            new GetQueueUrlRequest(name) { QueueOwnerAWSAccountId = account })).QueueUrl);
    }

    [Fact]
    public async Task A_topic_or_queue_that_is_not_there_is_told_apart()
    {
        var server = await QueueEndpoint.GetAsync();
        var topic = await server.NewTopicAsync();
        Assert.Equal(topic, (await server.Sns.GetTopicAttributesAsync(topic)).Attributes["TopicArn"]);
        await server.Sns.DeleteTopicAsync(topic);

        var noTopic = await Assert.ThrowsAsync<AwsMessagingException>(() => server.Sns.GetTopicAttributesAsync(topic));
        var noQueue = await Assert.ThrowsAsync<AwsMessagingException>(() => server.Sqs.GetQueueUrlAsync("test-nobody-made-this"));

        Assert.Equal((AwsFailure.NotFound, "NotFound", false), (noTopic.Kind, noTopic.Code, noTopic.IsTransient));
        Assert.Equal((AwsFailure.NotFound, "NonExistentQueue", false), (noQueue.Kind, noQueue.Code, noQueue.IsTransient));
        Assert.Contains("test-nobody-made-this", noQueue.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_poll_ends_at_the_first_message_and_at_once_when_it_is_cancelled()
    {
        var server = await QueueEndpoint.GetAsync();
        var queue = await server.NewQueueAsync();
        var watch = Stopwatch.StartNew();

        var poll = server.Sqs.ReceiveAsync(queue.Url);
        await server.Sqs.SendAsync(queue.Url, new OutgoingMessage("one"));
        Assert.Single(await poll);
        using var cancellation = new CancellationTokenSource();
        var cancelled = server.Sqs.ReceiveAsync(queue.Url, cancellationToken: cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(18)); // one poll alone would take 20
    }

    private static Dictionary<string, IReadOnlyCollection<string>> Filter(string attribute, params string[] values) =>
        new() { [attribute] = values };
}
