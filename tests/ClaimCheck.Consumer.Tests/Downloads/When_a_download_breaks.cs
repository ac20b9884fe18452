using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Tests.Downloads;

public class When_a_download_breaks
{
    [Fact]
    public async Task A_cut_connection_is_resumed_at_the_block_by_range_and_etag()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(30));
        var size = server.Batch.Objects["part-00001.csv.gz"].Length;
        server.Faults.Enqueue(new Fault.Ended(size - 5));

        var orders = await Reading_a_batch.ReadAsync(server);

        Assert.Equal(30, orders.Count);
        var resumed = server.Fetches.Last();
        Assert.Equal("\"1\"", resumed.IfMatch);
        Assert.DoesNotContain("bytes=0-", resumed.Range, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Passing))]
    internal async Task What_passes_is_survived(Fault fault, string compression)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(95, "csv", compression));
        server.Faults.Enqueue(fault);
        server.Faults.Enqueue(null);
        server.Faults.Enqueue(fault);
        server.IndexFaults.Enqueue(fault);

        var orders = await Reading_a_batch.ReadAsync(server, fault is Fault.Stalled ? TimeSpan.FromMilliseconds(500) : null);

        Assert.Equal(Enumerable.Range(1, 95).Select(Order.Number), orders);
    }

    public static IEnumerable<object[]> Passing() =>
        new Fault[]
        {
            new Fault.Cut(0), new Fault.Cut(1), new Fault.Cut(120), new Fault.Ended(0), new Fault.Ended(350),
            new Fault.Altered(3), new Fault.Altered(100), new Fault.Truncated(1),
            new Fault.Status(500), new Fault.Status(503), new Fault.Status(429), new Fault.Stalled(40), new Fault.Whole(),
            new Fault.Status(403), new Fault.Status(404), new Fault.Redirect("/staged/gone?sig=no"),
        }.SelectMany(fault => new[] { "gzip", "none" }, (fault, compression) => new object[] { fault, compression });

    [Fact]
    public async Task An_object_that_was_replaced_by_the_same_bytes_is_read_on()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(30));
        server.Faults.Enqueue(new Fault.Ended(server.Batch.Objects["part-00001.csv.gz"].Length - 5));
        server.Faults.Enqueue(new Fault.Replaced());

        Assert.Equal(30, (await Reading_a_batch.ReadAsync(server)).Count);
        Assert.Contains(server.Fetches, fetch => fetch.IfMatch == "\"1\"");
    }

    [Fact]
    public async Task A_link_that_expires_midway_is_replaced_and_no_record_comes_twice()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(300));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        var orders = new List<Order>();

        await foreach (var order in reader.ReadAsync<Order>(server.Batch.BatchId))
        {
            orders.Add(order);
            if (orders.Count == 35)
                server.ExpireLinks();
        }

        Assert.Equal(Enumerable.Range(1, 300).Select(Order.Number), orders);
        Assert.True(server.ManifestsServed >= 2);
    }

    [Theory]
    [InlineData(ProblemCodes.BatchRevoked, typeof(BatchRevokedException))]
    [InlineData(ProblemCodes.BatchExpired, typeof(BatchExpiredException))]
    public async Task A_batch_that_ends_midway_stops_the_read(string code, Type expected)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(3_000));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        var seen = 0;

        var failure = await Assert.ThrowsAsync(expected, async () =>
        {
            await foreach (var _ in reader.ReadAsync<Order>(server.Batch.BatchId))
            {
                if (++seen == 35)
                    server.End(code);
            }
        });

        Assert.InRange(seen, 35, 200);
        Assert.False(((ClaimCheckException)failure).IsTransient);
        Assert.Equal(server.Batch.BatchId, ((ClaimCheckException)failure).BatchId);
    }

    [Fact]
    public async Task After_a_revocation_is_known_no_fetched_record_is_handed_over()
    {
        // One block a file: the fetch of the second file learns of the revocation while the first block is being handed over.
        var batch = new StagedTestBatch
        {
            Columns = Order.Columns,
            Rows = Order.Batch(1_000).Rows,
            RowsPerBlock = 500,
            BlocksPerFile = 1,
        };
        await using var server = await StagingServer.StartAsync(batch);
        var ended = new TaskCompletionSource();
        server.IndexFaults.Enqueue(null);
        server.IndexFaults.Enqueue(new Fault.Held(ended.Task, 404));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        await using var records = reader.ReadAsync<Order>(server.Batch.BatchId).GetAsyncEnumerator();

        Assert.True(await records.MoveNextAsync());
        server.End(ProblemCodes.BatchRevoked);
        ended.SetResult();
        var seen = 1;
        await Assert.ThrowsAsync<BatchRevokedException>(async () =>
        {
            await Deadline.UntilAsync(() => server.Calls.Count >= 2);
            // The refusal is on its way: the rest of the block would take seconds, the answer takes moments.
            while (await records.MoveNextAsync())
            {
                seen++;
                await Task.Delay(10);
            }
        });

        Assert.InRange(seen, 1, 499);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("none")] // no checksum of gzip's own helps here
    public async Task A_block_that_stays_altered_fails_the_read_before_its_records_are_seen(string compression)
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(30, "csv", compression));
        var size = server.Batch.Objects[server.Batch.Files[0].Name].Length;
        for (var i = 0; i < 20; i++)
            server.Faults.Enqueue(new Fault.Altered(size - 12));
        using var client = server.Client();
        using var reader = new BatchReader(client, StagingServer.Options());
        var seen = new List<Order>();

        var failure = await Assert.ThrowsAsync<IntegrityException>(async () =>
        {
            await foreach (var order in reader.ReadAsync<Order>(server.Batch.BatchId))
                seen.Add(order);
        });

        Assert.Equal(Enumerable.Range(1, 20).Select(Order.Number), seen);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_stays_away_is_a_transient_failure_without_a_link_in_its_text()
    {
        await using var server = await StagingServer.StartAsync(Order.Batch(30));
        for (var i = 0; i < 20; i++)
            server.Faults.Enqueue(i % 2 == 0 ? new Fault.Cut(10) : new Fault.Status(503));

        var failure = await Assert.ThrowsAsync<DownloadFailedException>(() => Reading_a_batch.ReadAsync(server));

        Assert.True(failure.IsTransient);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(6, server.Fetches.Count(fetch => fetch.Name.EndsWith(".csv.gz", StringComparison.Ordinal)));
    }
}
