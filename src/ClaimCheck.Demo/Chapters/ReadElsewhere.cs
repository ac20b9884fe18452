using ClaimCheck.Demo.Consuming;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ReadElsewhere
{
    public static Step Step { get; } = new(
        "The consumer reads the records",
        "From the bucket, through the link, block by block, each verified by its SHA-256, as typed records, in bounded memory.\n"
        + "Its message stays hidden meanwhile. Then its sum over all rows is compared with the source's.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var ready = tour.Known<ReadyEvent>().Data;
        var manifest = tour.Keep(await tour.Client.GetManifestAsync(ready.BatchId, cancellationToken));

        ConsumerLine? read = null;
        await tour.Screen.ProgressAsync("read", async report =>
            read = await tour.Consumer.NextAsync(
                ConsumerLine.Words.Read, TimeSpan.FromMinutes(2), cancellationToken,
                line => report((line.Records ?? 0) / (double)ready.Records, $"{line.Records:N0} records")));
        if (read is not { Records: { } count, Sum: { } sum, Seconds: { } seconds })
            throw new DemoException("The consumer did not report what it read.");
        tour.Screen.Text($"the consumer: {read}");
        tour.Screen.Good(
            $"{count:N0} records in {seconds:0.0} s: {count / seconds:N0} a second, "
            + $"{DemoScreen.Size(manifest.UncompressedBytes / seconds)}/s; the consumer uses {DemoScreen.Size(read.Memory ?? 0)}");
        await ReadRecords.CompareAsync(tour, count, sum, cancellationToken);
    }
}
