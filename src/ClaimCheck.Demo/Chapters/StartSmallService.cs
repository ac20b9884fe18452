using System.Diagnostics;

namespace ClaimCheck.Demo.Chapters;

internal static class StartSmallService
{
    private const int Orders = 100_000;

    public static Step Step { get; } = new(
        "Start the service",
        $"As before, with a sample of {Orders:N0} orders.",
        RunAsync);

    private static async Task RunAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var service = await tour.StartServiceAsync(cancellationToken, ("ClaimCheck__Sample__Orders", $"{Orders}"));
        await service.ReadyAsync(tour.Wire, tour.Client.BaseAddress, cancellationToken);
        tour.Screen.Good($"ready at {tour.Client.BaseAddress} after {watch.Elapsed.TotalSeconds:0.0} s");
    }
}
