using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClaimCheck.EndToEnd.Tests.Consuming;

/// <summary>The whole way, with nothing replaced: service, topic, queue, listener, handler.</summary>
public sealed class A_consumer_of_a_queue
{
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Reads_what_was_exported_and_stops_reading_what_is_revoked(bool raw, bool onS3)
    {
        var endpoint = await QueueEndpoint.GetAsync();
        var topic = await endpoint.NewTopicAsync();
        var queue = await endpoint.NewQueueAsync(topic, new SubscriptionOptions { RawDelivery = raw });
        await using var scene = await Scene.CreateAsync(items: 3000, onS3);
        foreach (var (name, value) in endpoint.Environment)
            scene.Settings[name] = value;
        var service = await scene.StartServiceAsync(("ClaimCheck__Publishing__TopicArn", topic));
        using var client = new ClaimCheckClient(service.Address);
        var books = new Books();
        using var host = await ListenAsync(service, queue, books, scene);

        var read = await client.CreateExportAsync(new ExportRequest { Dataset = "items" });
        await Eventually.TrueAsync(() => Task.FromResult(books.Closed.Contains(read.BatchId)));
        Assert.Equal(3000, books.Records[read.BatchId]);

        var told = new TaskCompletionSource();
        books.AfterRecord = () => told.Task;
        var revoked = await client.CreateExportAsync(new ExportRequest { Dataset = "items" });
        await Eventually.TrueAsync(() => Task.FromResult(books.Records.GetValueOrDefault(revoked.BatchId) == 1));
        await client.RevokeAsync(revoked.BatchId, "a test");
        var reader = host.Services.GetRequiredService<BatchReader>();
        await Eventually.TrueAsync(() => Task.FromResult(reader.IsMarkedRevoked(revoked.BatchId)));
        told.SetResult();

        await Eventually.TrueAsync(() => Task.FromResult(books.Revoked.Contains(revoked.BatchId)));
        Assert.Equal(1, books.Records[revoked.BatchId]);
        Assert.IsType<BatchRevokedException>(Assert.Single(books.Failures));
        Assert.DoesNotContain(revoked.BatchId, books.Closed);
        await Eventually.TrueAsync(async () => await CountAsync(endpoint, queue.Url) == 0);
        Assert.Equal(0, await CountAsync(endpoint, queue.DeadLetterUrl));
        await host.StopAsync();
    }

    private static async Task<IHost> ListenAsync(ServiceProcess service, TestQueue queue, Books books, Scene scene)
    {
        var endpoint = await QueueEndpoint.GetAsync();
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(books);
        builder.Services.AddClaimCheckConsumer(options =>
            {
                options.Service = service.Address;
                options.Aws = endpoint.OptionsFor(endpoint.SqsUrl);
                if (scene.Settings.TryGetValue("AWS_ENDPOINT_URL_S3", out var s3))
                    options.AllowedLinkHosts.Add(new Uri(s3).Authority);
            })
            .AddSqsListener<Accounting>(queue.Url, options => options.PollTime = TimeSpan.FromSeconds(2));
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private static async Task<int> CountAsync(QueueEndpoint endpoint, string url)
    {
        var attributes = await endpoint.Sqs.AttributesAsync(url);
        return int.Parse(attributes["ApproximateNumberOfMessages"])
            + int.Parse(attributes["ApproximateNumberOfMessagesNotVisible"]);
    }
}
