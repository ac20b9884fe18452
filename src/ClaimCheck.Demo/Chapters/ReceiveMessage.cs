using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Consuming;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class ReceiveMessage
{
    public static Step Step { get; } = new(
        "The claim check reaches the consumer",
        "BulkReady goes from the service's outbox to SNS, from there into the queue, and to the handler. It carries a link into\n"
        + "the bucket, not the data. (The event feed has the same event; that is how it is shown here, without the signature.)",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var received = await tour.Consumer.NextAsync(ConsumerLine.Words.Received, TimeSpan.FromSeconds(90), cancellationToken);
        tour.Screen.Text($"the consumer: {received}");
        var (bulkEvent, cursor) = await FeedWatch.UntilAsync(
            tour.Client, null, EventTypes.BulkReady, tour.Export.BatchId, cancellationToken);
        (tour.Cursor, tour.Ready) = (cursor, bulkEvent.Data.Deserialize<BulkReadyData>(ClaimCheckJson.Options));
        if (tour.Ready?.Location is null)
            throw new DemoException("The BulkReady has no link.");
        if (received.EventId != bulkEvent.Id || received.BatchId != tour.Export.BatchId)
            throw new DemoException($"The consumer got event {received.EventId}, but {bulkEvent.Id} was published.");
        tour.MessageBytes = JsonSerializer.SerializeToUtf8Bytes(bulkEvent, ClaimCheckJson.Options).Length;
        tour.Screen.Text(ShownLinks.Of(bulkEvent));
        var batch = await tour.Client.GetBatchAsync(tour.Export.BatchId, cancellationToken);
        tour.Screen.Good($"in the handler {received.AfterMilliseconds:0} ms after the batch was ready, over SNS and SQS");
        tour.Screen.Good(
            $"a message of {DemoScreen.Size(tour.MessageBytes)} instead of {DemoScreen.Size(batch.UncompressedBytes)} ({DemoScreen.Size(batch.Bytes)} compressed)");
    }
}
