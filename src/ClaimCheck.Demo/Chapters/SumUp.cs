using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class SumUp
{
    public static Step Step { get; } = new("Summary", "In short:", RunAsync);

    private static Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var screen = tour.Screen;
        var ready = tour.Known<ReadyEvent>();
        screen.Good($"a message of {DemoScreen.Size(ready.Bytes)} stood for {ready.Data.Records:N0} records");
        screen.Good("the consumer read them when it was ready, verified, and each matches the source");
        screen.Good("the producer revoked them, and no link works any more");
        return Task.CompletedTask;
    }
}
