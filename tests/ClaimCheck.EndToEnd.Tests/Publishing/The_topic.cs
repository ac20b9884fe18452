using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using ClaimCheck.Aws;
using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Publishing;

/// <summary>Events are forwarded to an SNS topic and into its queues, on real servers.</summary>
public sealed class The_topic
{
    [Fact]
    public async Task Brings_each_event_with_its_attributes_and_a_working_link()
    {
        var (servers, topic, queue) = await TopicAsync();
        await using var scene = await Scene.CreateAsync(items: 100);
        using var client = new Client(await StartAsync(scene, servers, topic));

        var export = await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready);
        var ready = await NextAsync(servers, queue);
        using var anyone = new HttpClient();
        Assert.Equal(HttpStatusCode.OK, (await anyone.GetAsync(Envelope(ready).DataRef!.Reveal())).StatusCode);
        await client.Http.DeleteAsync($"/v1/batches/{export.BatchId}?reason=test");
        var revoked = await NextAsync(servers, queue);

        Assert.Equal(("BulkReady", "items", "default", "*"), (ready.Type, ready.Dataset, ready.Tenant, ready.Consumer));
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", ready.TraceParent);
        Assert.Equal(5, ready.Attributes.Count);
        Assert.True(Encoding.UTF8.GetByteCount(ready.Body) < 8 << 10);
        var envelope = Envelope(ready);
        var inFeed = await client.EventAsync(export, EventTypes.BulkReady);
        Assert.Equal((inFeed.Id, inFeed.Subject, inFeed.Time), (envelope.Id, envelope.Subject, envelope.Time));
        Assert.Equal("BulkRevoked", revoked.Type);
        Assert.Equal(HttpStatusCode.NotFound, (await anyone.GetAsync(envelope.DataRef!.Reveal())).StatusCode);
    }

    [Fact]
    public async Task Brings_a_queue_only_what_its_filter_lets_through()
    {
        var servers = await QueueEndpoint.GetAsync();
        var topic = await servers.NewTopicAsync();
        var slow = await servers.NewQueueAsync(topic, new SubscriptionOptions
        {
            Filter =
                new Dictionary<string, IReadOnlyCollection<string>> { ["dataset"] = ["slow"], ["consumer"] = ["*", "billing"] },
        });
        await using var scene = await Scene.CreateAsync(items: 20);
        using var client = new Client(await StartAsync(scene, servers, topic));

        await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready);
        var wanted = await client.UntilAsync(await client.AskAsync("slow"), ExportState.Ready);

        Assert.Equal(wanted.BatchId.ToString(), Envelope(await NextAsync(servers, slow)).Subject);
    }

    [Fact]
    public async Task May_be_away_while_the_outbox_grows_and_drains_later()
    {
        var (servers, topic, queue) = await TopicAsync();
        await using var proxy = await FaultProxy.StartAsync(servers.SnsUrl);
        proxy.On(_ => true, new Fault.Answer(503));
        await using var scene = await Scene.CreateAsync(items: 10);
        using var client = new Client(await StartAsync(scene, servers, topic, proxy.Url));

        var exports = new List<Export>();
        for (var i = 0; i < 12; i++)
            exports.Add(await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready));
        var feed = await Eventually.NotNullAsync(async () => await client.FeedAsync() is { Count: 12 } all ? all : null);
        // One that is revoked meanwhile is not offered any more.
        await client.Http.DeleteAsync($"/v1/batches/{exports[3].BatchId}");
        // A call makes three tries: with the fourth from now on another one has begun, whose messages were made after that.
        var tries = proxy.Requests.Count;
        await Eventually.TrueAsync(() => Task.FromResult(proxy.Requests.Count > tries + 3), TimeSpan.FromMinutes(3));
        proxy.Heal();

        var arrived = new ConcurrentDictionary<string, string>();
        while (arrived.Count < 12)
        {
            var message = await NextAsync(servers, queue);
            arrived.TryAdd(Envelope(message).Id.ToString(), $"{message.Type} {Envelope(message).Subject}");
        }

        Assert.DoesNotContain($"BulkReady {exports[3].BatchId}", arrived.Values);
        Assert.Contains($"BulkRevoked {exports[3].BatchId}", arrived.Values);
        Assert.Equal(11, feed.Count(item => arrived.ContainsKey(item.Id.ToString())));
    }

    [Fact]
    public async Task Gets_an_event_again_under_its_id_when_the_relay_dies_before_it_is_marked()
    {
        var (servers, topic, queue) = await TopicAsync();
        await using var scene = await Scene.CreateAsync(items: 10);
        var service = await StartAsync(scene, servers, topic);
        using var client = new Client(service);
        // The relay has taken its place in the table: from here on it waits where it would mark how far it is.
        await Eventually.TrueAsync(async () =>
            await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM feed_relays WHERE name LIKE 'arn:%'") == 1);
        await using var hold = await Hold.TakeAsync(scene.Catalog, "LOCK TABLE feed_relays IN SHARE MODE");

        await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready);
        var first = Envelope(await NextAsync(servers, queue));
        await service.KillAsync();
        // What the dead one had asked of the catalog already would still be done, once the lock is let go.
        await Scene.SqlAsync(scene.Catalog, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            + "current_database() AND wait_event_type = 'Lock'");
        await hold.ReleaseAsync();
        await StartAsync(scene, servers, topic);
        var second = Envelope(await NextAsync(servers, queue));

        Assert.Equal(first.Id, second.Id);
    }

    [Fact]
    public async Task Does_not_get_the_past_of_a_catalog_that_it_is_new_to()
    {
        var (servers, topic, queue) = await TopicAsync();
        await using var scene = await Scene.CreateAsync(items: 10);
        var before = await scene.StartServiceAsync();
        using (var client = new Client(before))
        {
            var old = await client.UntilAsync(await client.AskAsync("items"), ExportState.Ready);
            await client.EventAsync(old, EventTypes.BulkReady);
        }

        await before.StopAsync();
        using var later = new Client(await StartAsync(scene, servers, topic));
        await Eventually.TrueAsync(async () =>
            await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM feed_relays WHERE name LIKE 'arn:%'") == 1);
        var fresh = await later.UntilAsync(await later.AskAsync("items"), ExportState.Ready);

        Assert.Equal(fresh.BatchId.ToString(), Envelope(await NextAsync(servers, queue)).Subject);
    }

    private static async Task<(QueueEndpoint Servers, string Topic, TestQueue Queue)> TopicAsync()
    {
        var servers = await QueueEndpoint.GetAsync();
        var topic = await servers.NewTopicAsync();
        return (servers, topic, await servers.NewQueueAsync(topic));
    }

    private static Task<ServiceProcess> StartAsync(Scene scene, QueueEndpoint servers, string topic, Uri? sns = null)
    {
        foreach (var (name, value) in servers.Environment)
            scene.Settings[name] = value;
        if (sns is not null)
            scene.Settings["AWS_ENDPOINT_URL_SNS"] = sns.GetLeftPart(UriPartial.Authority);
        scene.Settings["ClaimCheck__Publishing__TopicArn"] = topic;
        return scene.StartServiceAsync();
    }

    private static async Task<DeliveredMessage> NextAsync(QueueEndpoint servers, TestQueue queue)
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

    private static BulkEvent Envelope(DeliveredMessage message) =>
        JsonSerializer.Deserialize<BulkEvent>(message.Body, ClaimCheckJson.Options)!;
}
