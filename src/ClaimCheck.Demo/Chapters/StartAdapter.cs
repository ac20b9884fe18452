using System.Text.Json.Nodes;
using ClaimCheck.Demo.Stage;

namespace ClaimCheck.Demo.Chapters;

internal static class StartAdapter
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3);

    public static Step ByTheClock { get; } = new(
        "Start the adapter",
        "A consumer that is configured, not coded. This route requests an export on a schedule (here once a minute), looks into\n"
        + "staging until the batch is there, and pushes the files into a folder that the consumer system reads.",
        (tour, cancellationToken) => RunAsync(tour, "nightly", ClockRoute(), FolderOf, cancellationToken));

    public static Step ByEvents { get; } = new(
        "Start the adapter",
        "This route waits for BulkReady of any client's export of the dataset, and loads the records into a table of\n"
        + "the consumer's own: each takes effect once, in one transaction with the position in the batch.",
        async (tour, cancellationToken) =>
        {
            var table = tour.Keep(await ConsumerTable.CreateAsync(tour.Service, cancellationToken));
            await RunAsync(
                tour, "billing", new JsonObject { ["Pattern"] = "ar-2", ["Dataset"] = "orders", ["Events"] = "feed", ["Accept"] = "any" },
                _ => new JsonObject { ["Kind"] = "table", ["ConnectionString"] = table.Database, ["Table"] = ConsumerTable.Name }, cancellationToken);
        });

    public static Step OnDemand { get; } = new(
        "Start the adapter",
        "This route is triggered by a consumer system, waits for BulkReady, pushes the files to where that system reads them, and\n"
        + "notifies it with a signed notice.",
        (tour, cancellationToken) => RunAsync(
            tour, "crm",
            new JsonObject
            {
                ["Pattern"] = "ar-3",
                ["Dataset"] = "orders",
                ["Events"] = "feed",
                ["Notify"] = new JsonObject { ["Url"] = tour.ConsumerSystem.Address.ToString(), ["Secret"] = tour.ConsumerSystem.Secret },
            },
            FolderOf, cancellationToken));

    public static Step OnDemandWithoutEvents { get; } = new(
        "Start the adapter",
        "This route is triggered by a consumer system too, but without events: the adapter polls the service, and the\n"
        + "consumer system polls the adapter.",
        (tour, cancellationToken) => RunAsync(
            tour, "erp", new JsonObject { ["Pattern"] = "ar-4", ["Dataset"] = "orders" }, FolderOf, cancellationToken));

    private static JsonObject ClockRoute()
    {
        var at = TimeProvider.System.GetUtcNow() + Soon;
        return new JsonObject
        {
            ["Pattern"] = "ar-1",
            ["Dataset"] = "orders",
            ["Format"] = "ndjson",
            // Each minute: an adapter that takes long to start catches the next fire time.
            ["Cron"] = $"{at.Second} * * * * ?",
            ["TimeZone"] = "UTC",
            ["Wait"] = "staging",
        };
    }

    private static JsonObject FolderOf(string place) => new() { ["Location"] = new JsonObject { ["Kind"] = "folder", ["Path"] = place } };

    private static async Task RunAsync(
        Tour tour, string route, JsonObject settings, Func<string, JsonObject> destination, CancellationToken cancellationToken)
    {
        var adapter = tour.Keep(AdapterProcess.Start(tour.Client.BaseAddress, route, settings, destination));
        await adapter.ReadyAsync(tour.Wire, cancellationToken);
        var shown = adapter.Route.DeepClone();
        if (shown[route]!["Notify"] is JsonObject notify)
            notify["Secret"] = "whsec_…";
        if (shown[route]!["Destination"]!["ConnectionString"] is not null)
            shown[route]!["Destination"]!["ConnectionString"] = "…";
        tour.Screen.Text(shown.ToJsonString(DemoScreen.Json));
        tour.Screen.Good($"it listens at {adapter.Address}");
    }
}
