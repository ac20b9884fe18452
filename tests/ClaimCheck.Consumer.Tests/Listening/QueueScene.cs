using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ClaimCheck.Consumer.Tests.Listening;

/// <summary>A queue of a real server, a service with one batch, and a host that listens, as a consumer builds it.</summary>
internal sealed class QueueScene : IAsyncDisposable
{
    public const string Key = "a-key-of-this-test";

    private readonly List<IHost> hosts = [];

    private QueueScene(QueueEndpoint endpoint, TestQueue queue, string topic, StagingServer server) =>
        (Endpoint, Queue, Topic, Server) = (endpoint, queue, topic, server);

    public QueueEndpoint Endpoint { get; }

    public TestQueue Queue { get; }

    public string Topic { get; }

    public StagingServer Server { get; }

    public Seen Seen { get; } = new();

    public LogLines Log { get; } = new();

    public static async Task<QueueScene> CreateAsync(bool raw = true, int maxReceiveCount = 3, int records = 40)
    {
        var endpoint = await QueueEndpoint.GetAsync();
        var topic = await endpoint.NewTopicAsync();
        var queue = await endpoint.NewQueueAsync(topic, new SubscriptionOptions { RawDelivery = raw }, maxReceiveCount);
        return new QueueScene(endpoint, queue, topic, await StagingServer.StartAsync(Order.Batch(records)));
    }

    /// <summary>Starts a consumer with short times, for the tests' sake.</summary>
    public async Task<IHost> ListenAsync(
        Action<SqsListenerOptions>? configure = null, Action<ClaimCheckConsumerOptions>? consumer = null)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Log);
        builder.Services.AddSingleton(Seen);
        builder.Services.AddClaimCheckConsumer(options =>
            {
                options.Service = new Uri(Server.Address);
                options.ApiKey = Key;
                options.Aws = Endpoint.OptionsFor(Endpoint.SqsUrl);
                consumer?.Invoke(options);
            })
            .AddSqsListener<TestHandler>(Queue.Url, options =>
            {
                options.PollTime = TimeSpan.FromSeconds(1);
                options.Heartbeat = TimeSpan.FromMilliseconds(400);
                // what is released comes again at once; nothing else does, on a busy machine neither
                options.Visibility = TimeSpan.FromSeconds(60);
                options.RetryDelay = TimeSpan.Zero;
                options.StopTimeout = TimeSpan.FromSeconds(5);
                configure?.Invoke(options);
            });
        var host = builder.Build();
        hosts.Add(host);
        await host.StartAsync();
        return host;
    }

    public Task PublishAsync(BulkEvent bulkEvent, string consumer = "*", string traceParent =
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") =>
        Endpoint.Sns.PublishAsync(Topic, new OutgoingMessage(bulkEvent.Json())
        {
            Attributes = new Dictionary<string, string>
            {
                ["type"] = "any",
                ["dataset"] = "orders",
                ["consumer"] = consumer,
                ["traceparent"] = traceParent,
            },
        });

    public Task SendAsync(string body) => Endpoint.Sqs.SendAsync(Queue.Url, new OutgoingMessage(body));

    /// <summary>Waits until nothing is left in the queue, hidden or not.</summary>
    public Task EmptyAsync() => Eventually.TrueAsync(async () => await CountAsync(Queue.Url) == 0);

    public Task<int> DeadAsync() => CountAsync(Queue.DeadLetterUrl);

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts)
        {
            await host.StopAsync();
            host.Dispose();
        }
        await Server.DisposeAsync();
        // Of every test: neither links nor keys nor what messages hold are logged.
        Assert.DoesNotContain("sig=", Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, Log.All, StringComparison.Ordinal);
    }

    private async Task<int> CountAsync(string url)
    {
        var attributes = await Endpoint.Sqs.AttributesAsync(url);
        return int.Parse(attributes["ApproximateNumberOfMessages"])
            + int.Parse(attributes["ApproximateNumberOfMessagesNotVisible"]);
    }
}
