using ClaimCheck.Demo.Consuming;

namespace ClaimCheck.Demo.Chapters;

internal static class HearRevocation
{
    public static Step Step { get; } = new(
        "The consumer is notified",
        "BulkRevoked takes the same route. A handler that still reads is stopped; then OnRevokedAsync is called, to discard what\n"
        + "was read of the batch.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var revoked = await tour.Consumer.NextAsync(ConsumerLine.Words.Revoked, TimeSpan.FromSeconds(90), cancellationToken);
        if (revoked.BatchId != tour.Export.BatchId)
            throw new DemoException($"The consumer was notified of {revoked.BatchId}, not of the batch that was revoked.");
        tour.Screen.Text($"the consumer: {revoked}");
        tour.Screen.Good($"its handler knows {revoked.AfterMilliseconds:0} ms after the revocation, over SNS and SQS");
    }
}
