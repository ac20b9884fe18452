namespace ClaimCheck.Demo.Chapters;

/// <summary>A consumer in this process: it finds the event in the feed, and reads the records.</summary>
internal static class ReadSteps
{
    public static Step ReceiveEvent { get; } = new(
        "Receive the claim check",
        "BulkReady is published, here in the event feed. It carries a link, not the data; interested consumers fetch the\n"
        + "data when they are ready. (The link's signature is removed here: everybody who has it can read the data.)",
        ReceiveEventAsync);

    /// <summary>Waits for the export's BulkReady in the feed, and keeps it.</summary>
    public static async Task<BulkEvent> FindAsync(Tour tour, CancellationToken cancellationToken)
    {
        var (bulkEvent, cursor) = await FeedWatch.UntilAsync(
            tour.Client, null, EventTypes.BulkReady, tour.Export.BatchId, cancellationToken);
        var data = bulkEvent.Data.Deserialize<BulkReadyData>(ClaimCheckJson.Options)
            ?? throw new DemoException("The BulkReady has no data.");
        if (data.Location is null)
            throw new DemoException("The BulkReady has no link.");
        tour.Keep(new ReadyEvent(data, cursor, JsonSerializer.SerializeToUtf8Bytes(bulkEvent, ClaimCheckJson.Options).Length));
        return bulkEvent;
    }

    /// <summary>Shows how small it is.</summary>
    public static async Task CompareSizesAsync(Tour tour, CancellationToken cancellationToken)
    {
        var batch = await tour.Client.GetBatchAsync(tour.Export.BatchId, cancellationToken);
        tour.Screen.Good(
            $"a message of {DemoScreen.Size(tour.Known<ReadyEvent>().Bytes)} instead of "
            + $"{DemoScreen.Size(batch.UncompressedBytes)} ({DemoScreen.Size(batch.Bytes)} compressed)");
    }

    private static async Task ReceiveEventAsync(Tour tour, CancellationToken cancellationToken)
    {
        tour.Screen.Text(ShownLinks.Of(await FindAsync(tour, cancellationToken)));
        await CompareSizesAsync(tour, cancellationToken);
    }

    public static Step ReadRecords { get; } = new(
        "Read the records through the link",
        "Block by block, each verified by its SHA-256 before its records are returned, as typed records, in bounded\n"
        + "memory. Then every value is compared with the source, by a sum over all rows that both sides compute.",
        ReadRecordsAsync);

    private static async Task ReadRecordsAsync(Tour tour, CancellationToken cancellationToken)
    {
        var ready = tour.Known<ReadyEvent>().Data;
        var manifest = tour.Keep(await tour.Client.GetManifestAsync(ready.BatchId, cancellationToken));

        using var reader = new BatchReader(tour.Client);
        var tally = new Tally();
        var watch = Stopwatch.StartNew();
        await tour.Screen.ProgressAsync("read", async report =>
        {
            await foreach (var order in reader.ReadAsync<Order>(ready, cancellationToken))
            {
                tally.Add(order);
                if (tally.Count % 10_000 == 0)
                    report(tally.Count / (double)ready.Records, $"{tally.Count:N0} records");
            }
        });
        var took = watch.Elapsed;
        var count = tally.Count;
        tour.Screen.Good(
            $"{count:N0} records in {took.TotalSeconds:0.0} s: {count / took.TotalSeconds:N0} a second, "
            + $"{DemoScreen.Size(manifest.UncompressedBytes / took.TotalSeconds)}/s; this process uses "
            + $"{DemoScreen.Size(Environment.WorkingSet)}");
        await CompareAsync(tour, count, tally.Sum, cancellationToken);
    }

    /// <summary>Compares count and sum of what was read with the source.</summary>
    public static async Task CompareAsync(Tour tour, long count, string sum, CancellationToken cancellationToken)
    {
        var (countAtSource, sumAtSource) = await Order.SumAsync(
            await tour.Service.SampleConnectionAsync(cancellationToken), "orders", cancellationToken);
        tour.Screen.Figure("at the source", $"{countAtSource:N0} orders, sum {sumAtSource}");
        tour.Screen.Figure("as read", $"{count:N0} orders, sum {sum}");
        if (countAtSource != count || sumAtSource != sum)
            throw new DemoException("What was read differs from the source.");
        tour.Screen.Good("every value of every record matches the source");
    }
}

/// <summary>The BulkReady of the export.</summary>
/// <param name="Data">Its data.</param>
/// <param name="Cursor">The feed's cursor after it.</param>
/// <param name="Bytes">The length of the message.</param>
internal sealed record ReadyEvent(BulkReadyData Data, string? Cursor, long Bytes);
