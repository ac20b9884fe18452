using System.Diagnostics;
using ClaimCheck.Consumer;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ReadRecords
{
    public static Step Step { get; } = new(
        "Read the records through the link",
        "Block by block, each verified by its SHA-256 before its records are returned, as typed records, in bounded\n"
        + "memory. Then every value is compared with the source, by a sum over all rows that both sides compute.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
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
            + $"{DemoScreen.Size(manifest.UncompressedBytes / took.TotalSeconds)}/s; this process uses {DemoScreen.Size(Environment.WorkingSet)}");
        await CompareAsync(tour, count, tally.Sum, cancellationToken);
    }

    /// <summary>Compares count and sum of what was read with the source.</summary>
    public static async Task CompareAsync(Tour tour, long count, string sum, CancellationToken cancellationToken)
    {
        var (countAtSource, sumAtSource) = await Order.SumAsync(await tour.Service.SampleConnectionAsync(cancellationToken), "orders", cancellationToken);
        tour.Screen.Figure("at the source", $"{countAtSource:N0} orders, sum {sumAtSource}");
        tour.Screen.Figure("as read", $"{count:N0} orders, sum {sum}");
        if (countAtSource != count || sumAtSource != sum)
            throw new DemoException("What was read differs from the source.");
        tour.Screen.Good("every value of every record matches the source");
    }
}
