using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ReceiveEvent
{
    public static Step Step { get; } = new(
        "Receive the claim check",
        "BulkReady is published, here in the event feed. It carries a link, not the data; interested consumers fetch the\n"
        + "data when they are ready. (The link's signature is removed here: everybody who has it can read the data.)",
        RunAsync);

    /// <summary>Waits for the export's BulkReady in the feed, and keeps it.</summary>
    public static async Task<BulkEvent> FindAsync(Tour tour, CancellationToken cancellationToken)
    {
        var (bulkEvent, cursor) = await FeedWatch.UntilAsync(tour.Client, null, EventTypes.BulkReady, tour.Export.BatchId, cancellationToken);
        var data = bulkEvent.Data.Deserialize<BulkReadyData>(ClaimCheckJson.Options) ?? throw new DemoException("The BulkReady has no data.");
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
            $"a message of {DemoScreen.Size(tour.Known<ReadyEvent>().Bytes)} instead of {DemoScreen.Size(batch.UncompressedBytes)} ({DemoScreen.Size(batch.Bytes)} compressed)");
    }

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        tour.Screen.Text(ShownLinks.Of(await FindAsync(tour, cancellationToken)));
        await CompareSizesAsync(tour, cancellationToken);
    }
}

/// <summary>The BulkReady of the export.</summary>
/// <param name="Data">Its data.</param>
/// <param name="Cursor">The feed's cursor after it.</param>
/// <param name="Bytes">The length of the message.</param>
internal sealed record ReadyEvent(BulkReadyData Data, string? Cursor, long Bytes);
