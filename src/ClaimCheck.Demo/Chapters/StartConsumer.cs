using ClaimCheck.Demo.Consuming;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class StartConsumer
{
    public static Step Step { get; } = new(
        "Start a consumer",
        "A process of its own that uses ClaimCheck.Consumer: AddClaimCheckConsumer, AddSqsListener, and a handler that\n"
        + "counts and sums orders. It knows the queue and the service's address.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var consumer = tour.Keep(ConsumerProcess.Start(tour.Known<AwsServers>(), tour.Client.BaseAddress));
        var line = await consumer.NextAsync(ConsumerLine.Words.Listening, TimeSpan.FromSeconds(90), cancellationToken);
        tour.Screen.Text($"the consumer: {line}");
        tour.Screen.Good("it listens; this process does not read from the queue");
    }
}
