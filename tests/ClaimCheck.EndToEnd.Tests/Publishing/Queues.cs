using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Aws;
using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Publishing;

/// <summary>Queues are subscribed to the topic by the service, whatever dies between its catalog and SNS.</summary>
public sealed class Queues : IAsyncLifetime, IDisposable
{
    private Scene scene = null!;
    private QueueEndpoint servers = null!;
    private FaultProxy proxy = null!;
    private string topic = "";
    private ServiceProcess service = null!;
    private Client client = null!;

    public async Task InitializeAsync()
    {
        servers = await QueueEndpoint.GetAsync();
        topic = await servers.NewTopicAsync();
        proxy = await FaultProxy.StartAsync(servers.SnsUrl);
        scene = await Scene.CreateAsync(items: 10);
        for (var at = 1; at <= 13; at++)
            scene.AddDataset($"more{at}", "SELECT id, name FROM items");
        foreach (var (name, value) in servers.Environment)
            scene.Settings[name] = value;
        scene.Settings["AWS_ENDPOINT_URL_SNS"] = proxy.Url.GetLeftPart(UriPartial.Authority);
        scene.Settings["ClaimCheck__Publishing__TopicArn"] = topic;
        await StartAsync();
    }

    public void Dispose() => client.Dispose();

    public async Task DisposeAsync()
    {
        await proxy.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task A_subscribed_queue_gets_what_is_for_all_and_for_its_consumer_and_no_other_s()
    {
        var queue = await servers.NewQueueAsync();
        var subscription = await SubscribeAsync(queue, """, "datasets": ["slow", "items"], "types": ["BulkReady"] """);
        Assert.Equal(
            (SubscriptionState.Active, null, null), (subscription.State, subscription.Secret, subscription.Links.Deliveries));
        var made = Assert.Single(await AtSnsAsync());
        Assert.Equal(queue.Arn, made.Endpoint);
        var attributes = (await servers.Sns.GetSubscriptionAttributesAsync(made.SubscriptionArn)).Attributes;
        Assert.Equal("true", attributes["RawMessageDelivery"]);
        Assert.True(JsonElement.DeepEquals(
            JsonElement.Parse(
                """{ "tenant": ["default"], "dataset": ["items", "slow"], "type": ["BulkReady"], "consumer": ["*", "billing"] }"""),
            JsonElement.Parse(attributes["FilterPolicy"])));

        var export = await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready);
        await client.EventAsync(export, EventTypes.BulkReady);
        await RedeliverAsync("crm");
        await RedeliverAsync("billing");
        var first = await NextAsync(queue);
        var second = await NextAsync(queue);

        Assert.Equal(["*", "billing"], new[] { first.Consumer, second.Consumer }.Order());
        Assert.Contains($"\"{export.BatchId}\"", first.Body, StringComparison.Ordinal);
        Assert.Empty(await servers.Sqs.ReceiveAsync(queue.Url, wait: TimeSpan.FromSeconds(1)));

        Assert.Equal(HttpStatusCode.NoContent, (await client.Http.DeleteAsync(Path(subscription))).StatusCode);
        Assert.Empty(await AtSnsAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await client.Http.GetAsync(Path(subscription))).StatusCode);
    }

    [Fact]
    public async Task The_same_again_is_the_same_and_other_wishes_for_the_queue_are_refused()
    {
        var queue = await servers.NewQueueAsync();
        var subscription = await SubscribeAsync(queue, "");

        using var again = await PostAsync(queue, "");
        using var other = await PostAsync(queue, """, "types": ["BulkReady"] """);
        using var crm = await PostAsync(queue, "", "crm");
        var byHand = await servers.NewQueueAsync(topic, new SubscriptionOptions { RawDelivery = false });
        using var taken = await PostAsync(byHand, "");

        Assert.Equal(
            (HttpStatusCode.OK, subscription.SubscriptionId),
            (again.StatusCode, (await again.Content.ReadFromJsonAsync<Subscription>(ClaimCheckJson.Options))!.SubscriptionId));
        Assert.Equal("subscription_exists", await CodeAsync(other));
        Assert.Equal("subscription_exists", await CodeAsync(crm));
        Assert.Equal("subscription_exists", await CodeAsync(taken));
        Assert.Equal(subscription.SubscriptionId, Assert.Single(await ListAsync()).SubscriptionId);
    }

    [Fact]
    public async Task What_SNS_does_not_take_is_invalid()
    {
        // 13 datasets, 6 types, the consumer and all: 156 combinations.
        var thirteen = string.Join(", ", Enumerable.Range(1, 13).Select(at => $"\"more{at}\""));
        using var many = await PostAsync(
            await servers.NewQueueAsync(),
            $$""", "types": {{JsonSerializer.Serialize(EventTypes.All)}}, "datasets": [{{thirteen}}] """);
        Assert.Equal(["datasets"], (await many.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options))!.Errors!.Keys);
        using var foreign = await PostAsync("arn:aws:sqs:us-east-1:123456789012:queue", "");
        using var noArn = await PostAsync("https://sqs.us-east-1.amazonaws.com/123456789012/queue", "");
        using var fifo = await PostAsync($"arn:aws:sqs:us-east-1:{topic.Split(':')[4]}:queue.fifo", "");

        Assert.Empty(await ListAsync());
        foreach (var answer in new[] { foreign, noArn, fifo })
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            var problem = (await answer.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options))!;
            Assert.Equal(["endpoint"], problem.Errors!.Keys);
        }
    }

    [Fact]
    public async Task The_operator_is_told_where_messages_outlive_files()
    {
        var plain = await servers.Sqs.CreateAsync(
            $"test-{Guid.NewGuid():N}", new Dictionary<string, string> { ["MessageRetentionPeriod"] = "1209600" });
        var plainArn = (await servers.Sqs.AttributesAsync(plain))["QueueArn"];
        using var answer = await PostAsync(plainArn, "");
        var warned = (await answer.Content.ReadFromJsonAsync<Subscription>(ClaimCheckJson.Options))!;
        // its dead letter queue keeps messages for 14 days, files are kept for 7
        var well = await SubscribeAsync(await servers.NewQueueAsync(), "");
        var missing = plainArn[..(plainArn.LastIndexOf(':') + 1)] + $"test-{Guid.NewGuid():N}";
        using var unknown = await PostAsync(missing, "");

        Assert.Contains(warned.Warnings, text =>
            text.Contains("P14D", StringComparison.Ordinal) && text.Contains("items P7D", StringComparison.Ordinal));
        Assert.Contains(warned.Warnings, text => text.Contains("no redrive policy", StringComparison.Ordinal));
        Assert.Contains("dead letter queue keeps messages for P14D", Assert.Single(well.Warnings), StringComparison.Ordinal);
        if (unknown.StatusCode == HttpStatusCode.Created)
        {
            Assert.Contains(
                (await unknown.Content.ReadFromJsonAsync<Subscription>(ClaimCheckJson.Options))!.Warnings,
                text => text.Contains("could not be looked at", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task While_SNS_is_away_a_subscription_is_pending_and_later_active()
    {
        var queue = await servers.NewQueueAsync();
        proxy.On(_ => true, new Fault.Answer(503));
        using var away = await PostAsync(queue, "");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Equal("topic_unavailable", await CodeAsync(away));
        Assert.NotNull(away.Headers.RetryAfter);
        Assert.Equal(SubscriptionState.Pending, Assert.Single(await ListAsync()).State);

        proxy.Heal();
        await Eventually.TrueAsync(async () => (await ListAsync())[0].State == SubscriptionState.Active);
        Assert.Single(await AtSnsAsync());
        using var again = await PostAsync(queue, "");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);

        proxy.On(_ => true, new Fault.Answer(503));
        using var stays = await client.Http.DeleteAsync(Path((await ListAsync())[0]));
        Assert.Equal("topic_unavailable", await CodeAsync(stays));
        Assert.Equal(SubscriptionState.Deleting, Assert.Single(await ListAsync()).State);
        proxy.Heal();
        await Eventually.TrueAsync(async () => (await ListAsync()).Count == 0);
        Assert.Empty(await AtSnsAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_service_that_is_killed_before_or_after_SNS_took_it_leaves_nothing_half_made(bool after)
    {
        var queue = await servers.NewQueueAsync();
        // Its first call is the one that subscribes: it is let through, or not even that.
        var calls = 0;
        proxy.On(_ => Interlocked.Increment(ref calls) > (after ? 1 : 0), new Fault.Stall());
        using var nobody = service.NewHttp();
        var asking = nobody.PostAsync("/v1/subscriptions", Wanted(queue.Arn, "", "billing"));
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref calls) > (after ? 1 : 0)));
        Assert.Equal(after ? 1 : 0, (await AtSnsAsync()).Count);
        await service.KillAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => asking);

        proxy.Heal();
        await StartAsync();
        // The dead one's time is over.
        await Scene.SqlAsync(scene.Catalog, "UPDATE event_subscriptions SET lease_until = now(), next_try_at = now()");
        await Eventually.TrueAsync(async () => Assert.Single(await ListAsync()).State == SubscriptionState.Active);

        Assert.Single(await AtSnsAsync());
        Assert.Equal(HttpStatusCode.NoContent, (await client.Http.DeleteAsync(Path((await ListAsync())[0]))).StatusCode);
        Assert.Empty(await AtSnsAsync());
    }

    private async Task StartAsync()
    {
        client?.Dispose();
        service = await scene.StartServiceAsync();
        client = new(service);
    }

    private async Task<Subscription> SubscribeAsync(TestQueue queue, string more)
    {
        using var answer = await PostAsync(queue, more);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var subscription = (await answer.Content.ReadFromJsonAsync<Subscription>(ClaimCheckJson.Options))!;
        Assert.Equal(Path(subscription), answer.Headers.Location!.ToString());
        return subscription;
    }

    private Task<HttpResponseMessage> PostAsync(TestQueue queue, string more, string consumer = "billing") =>
        PostAsync(queue.Arn, more, consumer);

    private Task<HttpResponseMessage> PostAsync(string arn, string more, string consumer = "billing") =>
        client.Http.PostAsync("/v1/subscriptions", Wanted(arn, more, consumer));

    private async Task<IReadOnlyList<Subscription>> ListAsync() =>
        (await client.Http.GetFromJsonAsync<Page<Subscription>>("/v1/subscriptions", ClaimCheckJson.Options))!.Items;

    private async Task<IReadOnlyList<Aws.SimpleNotificationService.Subscription>> AtSnsAsync() =>
        (await servers.Sns.ListSubscriptionsByTopicAsync(topic, null)).Subscriptions;

    private Task RedeliverAsync(string consumer) => Scene.SqlAsync(
        scene.Catalog,
        $"""
        INSERT INTO outbox (event_id, export_id, batch_id, tenant, dataset, type, consumer, data, traceparent)
        SELECT gen_random_uuid(), export_id, batch_id, tenant, dataset, type, '{consumer}', data, traceparent FROM outbox ORDER BY created_at LIMIT 1
        """);

    private async Task<DeliveredMessage> NextAsync(TestQueue queue)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var received = await servers.Sqs.ReceiveAsync(queue.Url, 1, cancellationToken: patience.Token);
            if (received.Count == 0)
                continue;
            await servers.Sqs.DeleteAsync(queue.Url, received, patience.Token);
            return DeliveredMessage.Open(received[0]);
        }
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options))!.Code;

    private static string Path(Subscription subscription) => $"/v1/subscriptions/{subscription.SubscriptionId}";

    private static HttpContent Wanted(string endpoint, string more, string consumer) =>
        HookScene.Json($$"""{ "consumer": "{{consumer}}", "protocol": "sqs", "endpoint": "{{endpoint}}"{{more}} }""");
}
