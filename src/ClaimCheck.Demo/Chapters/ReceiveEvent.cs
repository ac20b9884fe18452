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

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var (bulkEvent, cursor) = await FeedWatch.UntilAsync(
            tour.Client, null, EventTypes.BulkReady, tour.Export.BatchId, cancellationToken);
        tour.Cursor = cursor;
        tour.Ready = bulkEvent.Data.Deserialize<BulkReadyData>(ClaimCheckJson.Options)
            ?? throw new DemoException("The BulkReady has no data.");
        tour.MessageBytes = JsonSerializer.SerializeToUtf8Bytes(bulkEvent, ClaimCheckJson.Options).Length;
        if (tour.Ready.Location is null)
            throw new DemoException("The BulkReady has no link.");
        tour.Screen.Text(ShownLinks.Of(bulkEvent));
        var batch = await tour.Client.GetBatchAsync(tour.Export.BatchId, cancellationToken);
        tour.Screen.Good(
            $"a message of {DemoScreen.Size(tour.MessageBytes)} instead of {DemoScreen.Size(batch.UncompressedBytes)} ({DemoScreen.Size(batch.Bytes)} compressed)");
    }
}
