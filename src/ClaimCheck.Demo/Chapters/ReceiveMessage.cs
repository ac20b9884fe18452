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
        var bulkEvent = await ReceiveEvent.FindAsync(tour, cancellationToken);
        if (received.EventId != bulkEvent.Id || received.BatchId != tour.Export.BatchId)
            throw new DemoException($"The consumer got event {received.EventId}, but {bulkEvent.Id} was published.");
        tour.Screen.Text(ShownLinks.Of(bulkEvent));
        tour.Screen.Good($"in the handler {received.AfterMilliseconds:0} ms after the batch was ready, over SNS and SQS");
        await ReceiveEvent.CompareSizesAsync(tour, cancellationToken);
    }
}
