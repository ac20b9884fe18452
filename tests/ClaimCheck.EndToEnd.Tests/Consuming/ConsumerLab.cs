using Amazon.SQS.Model;
using System.Text.Json;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>A service on a topic and a bucket, shared by the tests of a class; links of its files lead through a proxy
/// that can do harm.</summary>
public sealed class ConsumerLab : IAsyncLifetime
{
    public const int Items = 10_000;

    private readonly List<LabConsumer> consumers = [];

    internal Scene Scene { get; private set; } = null!;

    internal QueueEndpoint Servers { get; private set; } = null!;

    internal string Topic { get; private set; } = "";

    /// <summary>Between consumers and S3.</summary>
    internal FaultProxy Links { get; private set; } = null!;

    internal ServiceProcess Service { get; private set; } = null!;

    internal ClaimCheckClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Servers = await QueueEndpoint.GetAsync();
        Topic = await Servers.NewTopicAsync();
        Scene = await Scene.CreateAsync(Items, onS3: true);
        Links = await FaultProxy.StartAsync(new Uri(Scene.Settings["AWS_ENDPOINT_URL_S3"]));
        foreach (var (name, value) in Servers.Environment)
            Scene.Settings[name] = value;
        Scene.Settings["ClaimCheck__Publishing__TopicArn"] = Topic;
        Scene.Settings["ClaimCheck__Staging__PublicEndpoint"] = Links.Url.GetLeftPart(UriPartial.Authority);
        Scene.Settings["ClaimCheck__Receipts__RetryDelay"] = "00:00:00";
        Scene.Settings["ClaimCheck__Receipts__RetryRounds"] = "3";
        Service = await Scene.StartServiceAsync();
        Client = new ClaimCheckClient(Service.Address);
    }

    public async Task DisposeAsync()
    {
        foreach (var consumer in consumers)
            consumer.Dispose();
        Client?.Dispose();
        if (Links is not null)
            await Links.DisposeAsync();
        if (Scene is not null)
            await Scene.DisposeAsync();
    }

    /// <summary>A consumer of the feed.</summary>
    internal Task<LabConsumer> NewFollowerAsync() => NewAsync(null, null);

    /// <summary>A consumer of a queue, with a database of its own.</summary>
    internal Task<LabConsumer> NewConsumerAsync(TestQueue queue, string? name = null) => NewAsync(queue, name);

    private async Task<LabConsumer> NewAsync(TestQueue? queue, string? name)
    {
        var consumer = new LabConsumer(
            this, name ?? $"consumer-{Guid.NewGuid():N}", await PostgresServer.NewDatabaseAsync(), queue);
        await consumer.SqlAsync(ItemHandler.Tables);
        consumers.Add(consumer);
        return consumer;
    }

    /// <summary>A consumer whose queue gets every event, unless a subscription filters.</summary>
    internal async Task<LabConsumer> NewConsumerAsync(SubscriptionOptions? subscription = null, int maxReceiveCount = 3) =>
        await NewConsumerAsync(await Servers.NewQueueAsync(Topic, subscription, maxReceiveCount));

    /// <summary>A batch of a number of the last items, announced soon.</summary>
    internal async Task<Export> ExportAsync(
        int records, long? maxFileBytes = null, string? linkLifetime = null, string compression = "gzip")
    {
        var export = await Client.CreateExportAsync(new ExportRequest
        {
            Dataset = "items",
            Criteria = new Dictionary<string, JsonElement> { ["least"] = JsonSerializer.SerializeToElement(Items - records + 1) },
            MaxFileBytes = maxFileBytes,
            LinkLifetime = linkLifetime,
            Compression = compression,
        });
        await Eventually.TrueAsync(async () =>
            (export = await Client.GetExportAsync(export.ExportId, TimeSpan.FromSeconds(10))).State == ExportState.Ready);
        return export;
    }

    /// <summary>Takes the next messages of a queue out of it.</summary>
    internal async Task<IReadOnlyList<Message>> TakeAsync(string queueUrl, int count)
    {
        var taken = new List<Message>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (taken.Count < count)
        {
            foreach (var message in await Servers.Sqs.ReceiveAsync(
                queueUrl, 1, TimeSpan.FromSeconds(5), cancellationToken: patience.Token))
            {
                taken.Add(message);
                await Servers.Sqs.DeleteAsync(queueUrl, [message], patience.Token);
            }
        }
        return taken;
    }

    internal async Task<int> CountAsync(string queueUrl)
    {
        var attributes = await Servers.Sqs.AttributesAsync(queueUrl);
        return int.Parse(attributes["ApproximateNumberOfMessages"])
            + int.Parse(attributes["ApproximateNumberOfMessagesNotVisible"]);
    }
}
