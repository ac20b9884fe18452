using System.Diagnostics;

namespace ClaimCheck.Demo.Chapters;

internal static class StartService
{
    public static Step Step { get; } = new(
        "Start the service",
        "Nothing is configured: it brings its own Postgres and a staging folder. The first start creates a sample\n"
        + "database of a million orders, which takes some seconds.",
        RunAsync);

    public static Step OnAwsStep { get; } = new(
        "Start the service",
        "Two settings: the staging bucket and the topic. It brings its own database here too; the first start creates a sample\n"
        + "of a million orders, which takes some seconds.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var service = await tour.StartServiceAsync(cancellationToken);
        await service.ReadyAsync(tour.Wire, tour.Client.BaseAddress, cancellationToken);
        tour.Screen.Good($"ready at {tour.Client.BaseAddress} after {watch.Elapsed.TotalSeconds:0.0} s");
    }
}
