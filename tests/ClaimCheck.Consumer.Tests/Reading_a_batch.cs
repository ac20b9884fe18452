using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests;

public class Reading_a_batch
{
    [Theory]
    [InlineData("csv", "gzip", "deflate", true)]
    [InlineData("csv", "gzip", "gzip", true)]
    [InlineData("csv", "gzip", "gzip", false)] // as version 0.1 wrote it
    [InlineData("csv", "none", "none", true)]
    [InlineData("csv", "none", "none", false)]
    [InlineData("ndjson", "gzip", "deflate", true)]
    [InlineData("ndjson", "gzip", "gzip", false)]
    [InlineData("ndjson", "none", "none", true)]
    public async Task Every_record_arrives_once_and_in_order(string format, string compression, string framing, bool isSaid)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(95, format, compression, framing, isSaid));

        var orders = await ReadAsync(server);

        Assert.Equal(Enumerable.Range(1, 95).Select(Order.Number), orders);
        Assert.Equal(4, server.Fetches.Count(fetch => fetch.Name.Contains($".{format}", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("csv", "gzip", "deflate")]
    [InlineData("csv", "gzip", "gzip")]
    [InlineData("csv", "none", "none")]
    [InlineData("ndjson", "gzip", "deflate")]
    [InlineData("ndjson", "none", "none")]
    public async Task An_empty_batch_has_no_records_and_is_no_error(string format, string compression, string framing)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(0, format, compression, framing));

        Assert.Empty(await ReadAsync(server));
    }

    [Fact]
    public async Task Nothing_is_opened_before_a_record_is_asked_for()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(10));
        using var client = server.Client();
        using var reader = new BatchReader(client);

        _ = reader.ReadAsync<Order>(server.Batch.BatchId);

        Assert.Empty(server.Calls);
        Assert.Empty(server.Fetches);
    }

    [Fact]
    public async Task The_link_of_an_event_is_enough_and_the_service_is_not_asked()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(40));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());

        var orders = await reader.ReadAsync<Order>(Ready(server, $"{server.Address}/staged/manifest.json?sig=any")).ToListAsync();

        Assert.Equal(40, orders.Count);
        Assert.Empty(server.Calls);
    }

    [Fact]
    public async Task A_dead_link_in_an_event_is_replaced_by_the_claim_url()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(40));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());

        var orders = await reader.ReadAsync<Order>(Ready(server, $"{server.Address}/nothing-here")).ToListAsync();

        Assert.Equal(40, orders.Count);
        Assert.Equal(1, server.ManifestsServed);
    }

    [Fact]
    public async Task A_key_goes_to_the_service_and_never_to_a_link()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(20));
        using var client = server.Client(key: "a-key-of-this-test");
        using var reader = new BatchReader(client, StagingServer.Options());

        await reader.ReadAsync<Order>(server.Batch.BatchId).ToListAsync();

        Assert.All(server.Calls, call => Assert.Equal("Bearer a-key-of-this-test", call.Headers.Authorization.ToString()));
        Assert.NotEmpty(server.Fetches);
        Assert.All(server.Fetches, fetch => Assert.Empty(fetch.Authorization));
    }

    [Fact]
    public async Task A_reader_that_leaves_early_leaves_no_error_behind()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(500));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());

        await foreach (var order in reader.ReadAsync<Order>(server.Batch.BatchId))
        {
            if (order.Id == 3)
                break;
        }

        Assert.Equal(500, await reader.ReadAsync<Order>(server.Batch.BatchId).CountAsync());
    }

    [Fact]
    public async Task A_cancelled_read_ends_at_the_next_record()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(500));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        using var cancel = new CancellationTokenSource();
        var seen = 0;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in reader.ReadAsync<Order>(server.Batch.BatchId, cancel.Token))
            {
                if (++seen == 5)
                    await cancel.CancelAsync();
            }
        });

        Assert.Equal(5, seen);
    }

    internal static BulkReadyData Ready(StagingServer server, string location) => new()
    {
        ExportId = ExportId.New(),
        BatchId = server.Batch.BatchId,
        Dataset = "orders",
        SchemaVersion = 1,
        Location = new Link(location),
        ClaimUrl = "http://elsewhere.example/v1/batches/x/manifest",
        Records = server.Batch.Rows.Count,
        Bytes = 1,
        Files = 1,
        Format = server.Batch.Format,
        Compression = server.Batch.Compression,
    };

    internal static async Task<List<Order>> ReadAsync(StagingServer server, TimeSpan? stall = null)
    {
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options(stall));
        return await reader.ReadAsync<Order>(server.Batch.BatchId).ToListAsync();
    }
}
