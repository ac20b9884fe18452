using System.Diagnostics;
using ClaimCheck.Consumer;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class StartService
{
    private const int FewOrders = 100_000;

    public static Step Step { get; } = new(
        "Start the service",
        "Nothing is configured: it brings its own Postgres and a staging folder. The first start creates a sample\n"
        + "database of a million orders, which takes some seconds.",
        (tour, cancellationToken) => RunAsync(tour, null, cancellationToken));

    public static Step OnAws { get; } = new(
        "Start the service",
        "Two settings: the staging bucket and the topic. It brings its own database here too; the first start creates a sample\n"
        + "of a million orders, which takes some seconds.",
        (tour, cancellationToken) => RunAsync(tour, tour.Known<AwsServers>().ForService, cancellationToken));

    public static Step Small { get; } = new(
        "Start the service",
        $"As before, with a sample of {FewOrders:N0} orders.",
        (tour, cancellationToken) => RunAsync(tour, new Dictionary<string, string?> { ["ClaimCheck__Sample__Orders"] = $"{FewOrders}" }, cancellationToken));

    private static async Task RunAsync(Tour tour, IReadOnlyDictionary<string, string?>? settings, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var service = tour.Keep(ServiceProcess.Start(settings));
        var client = tour.Keep(new ClaimCheckClient(await service.ListeningAsync(cancellationToken)));
        await service.ReadyAsync(tour.Wire, client.BaseAddress, cancellationToken);
        tour.Screen.Good($"ready at {client.BaseAddress} after {watch.Elapsed.TotalSeconds:0.0} s");
    }
}
