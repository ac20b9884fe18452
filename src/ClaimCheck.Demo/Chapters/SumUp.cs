using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class SumUp
{
    public static Step Step { get; } = new("What was seen", "In short:", RunAsync);

    private static Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var screen = tour.Screen;
        screen.Good($"a message of {DemoScreen.Size(tour.MessageBytes)} stood for {tour.RecordsRead:N0} records");
        screen.Good("the consumer read them when it was ready to, verified, and found each as it is at the source");
        screen.Good("the source took them back, and no link works any more");
        return Task.CompletedTask;
    }
}
