using System.Diagnostics;

namespace ClaimCheck.Demo.Chapters;

/// <summary>What the adapter does by itself, seen from outside.</summary>
internal static class AwaitDelivery
{
    public static Step ByTheClock { get; } = new(
        "Wait for the fire time",
        "The export is requested with an idempotency key derived from the fire time: however often the adapter dies, it is one export.",
        (tour, cancellationToken) => RunAsync(tour, null, cancellationToken));

    public static Step Polling { get; } = new(
        "Ask the adapter for the progress",
        "GET /exports/{id}, with Retry-After between two looks.",
        (tour, cancellationToken) => RunAsync(tour, tour.AdapterExport.Id, cancellationToken));

    private static async Task RunAsync(Tour tour, string? id, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        tour.Keep(await tour.Adapter.UntilAsync(
            tour.Wire, id, "delivered", export => tour.Screen.Figure($"after {watch.Elapsed.TotalSeconds:0.0} s", export.State), cancellationToken));
        tour.Screen.Good($"{tour.AdapterExport.Records:N0} records are delivered");
    }
}
