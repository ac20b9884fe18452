using ClaimCheck.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ClaimCheck.Consumer.Tests.Listening;

[Trait("needs", "nothing")]
public sealed class Options_of_a_consumer
{
    [Fact]
    public async Task A_visibility_below_two_heartbeats_stops_the_start_with_its_reason()
    {
        var failure = await StartAsync(_ => { }, options => options.Visibility = options.Heartbeat * 2);

        Assert.Contains(
            "SqsListenerOptions.Visibility is 00:00:40, but must be more than twice Heartbeat (00:00:20): "
            + "one late heartbeat would hand the message to a second consumer.", failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processing_past_twelve_hours_stops_the_start() =>
        Assert.Contains("MaxProcessing is 12:00:00",
            await StartAsync(_ => { }, options => options.MaxProcessing = TimeSpan.FromHours(12)), StringComparison.Ordinal);

    [Fact]
    public async Task A_consumer_without_a_service_stops_the_start() =>
        Assert.Contains(
            "Service is not set", await StartAsync(options => options.Service = null, _ => { }), StringComparison.Ordinal);

    [Fact]
    public async Task A_queue_that_is_no_address_stops_the_start() =>
        Assert.Contains(
            "QueueUrl is 'orders'", await StartAsync(_ => { }, options => options.QueueUrl = "orders"), StringComparison.Ordinal);

    [Fact]
    public async Task A_feed_that_is_never_tried_stops_the_start() =>
        Assert.Contains("MaxAttempts is 0", await StartAsync(_ => { }, _ => { }, options => options.MaxAttempts = 0),
            StringComparison.Ordinal);

    [Fact]
    public async Task A_cursor_in_a_file_is_replaced_as_a_whole()
    {
        var folder = Directory.CreateTempSubdirectory("claimcheck-cursor-");
        try
        {
            var path = Path.Combine(folder.FullName, "below", "cursor");
            Assert.Null(await new FileCursorStore(path).LoadAsync(CancellationToken.None));
            await new FileCursorStore(path).SaveAsync("a-longer-cursor", CancellationToken.None);
            await new FileCursorStore(path).SaveAsync("b", CancellationToken.None);

            Assert.Equal("b", await new FileCursorStore(path).LoadAsync(CancellationToken.None));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_known_revocation_is_forgotten_only_after_so_many_newer_ones()
    {
        var known = new Consumer.Downloads.KnownRevocations(capacity: 3);
        var batches = Enumerable.Range(0, 4).Select(_ => BatchId.New()).ToList();
        foreach (var batch in batches)
            Assert.True(known.Remember(batch));

        Assert.Equal([false, true, true, true], batches.Select(known.Contains));
        Assert.False(known.Remember(batches[3]));
    }

    private static async Task<string> StartAsync(
        Action<ClaimCheckConsumerOptions> consumer, Action<SqsListenerOptions> sqs, Action<FeedListenerOptions>? feed = null)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(new Seen());
        builder.Services.AddClaimCheckConsumer(options =>
            {
                options.Service = new Uri("http://localhost:1");
                consumer(options);
            })
            .AddSqsListener<TestHandler>("http://localhost:1/queue", sqs)
            .AddFeedListener<TestHandler>(new MemoryCursorStore(), feed);
        using var host = builder.Build();
        return (await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync())).Message;
    }
}
