using System.IO.Compression;
using System.Security.Cryptography;

namespace ClaimCheck.Demo.Chapters;

/// <summary>The adapter, and the consumer system that it works for.</summary>
internal static class AdapterSteps
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3);

    public static Step StartAdapterByTheClock { get; } = new(
        "Start the adapter",
        "A consumer that is configured, not coded. This route requests an export on a schedule (here once a minute), looks into\n"
        + "staging until the batch is there, and pushes the files into a folder that the consumer system reads.",
        (tour, cancellationToken) => StartAdapterAsync(tour, "nightly", ClockRoute(), FolderOf, cancellationToken));

    public static Step StartAdapterByEvents { get; } = new(
        "Start the adapter",
        "This route waits for BulkReady of any client's export of the dataset, and loads the records into a table of\n"
        + "the consumer's own: each takes effect once, in one transaction with the position in the batch.",
        async (tour, cancellationToken) =>
        {
            var table = tour.Keep(await ConsumerTable.CreateAsync(tour.Service, cancellationToken));
            await StartAdapterAsync(
                tour, "billing",
                new JsonObject { ["Pattern"] = "ar-2", ["Dataset"] = "orders", ["Events"] = "feed", ["Accept"] = "any" },
                _ => new JsonObject { ["Kind"] = "table", ["ConnectionString"] = table.Database, ["Table"] = ConsumerTable.Name },
                cancellationToken);
        });

    public static Step StartAdapterOnDemand { get; } = new(
        "Start the adapter",
        "This route is triggered by a consumer system, waits for BulkReady, pushes the files to where that "
        + "system reads them, and\n"
        + "notifies it with a signed notice.",
        (tour, cancellationToken) => StartAdapterAsync(
            tour, "crm",
            new JsonObject
            {
                ["Pattern"] = "ar-3",
                ["Dataset"] = "orders",
                ["Events"] = "feed",
                ["Notify"] =
                    new JsonObject { ["Url"] = tour.ConsumerSystem.Address.ToString(), ["Secret"] = tour.ConsumerSystem.Secret },
            },
            FolderOf, cancellationToken));

    public static Step StartAdapterOnDemandWithoutEvents { get; } = new(
        "Start the adapter",
        "This route is triggered by a consumer system too, but without events: the adapter polls the service, and the\n"
        + "consumer system polls the adapter.",
        (tour, cancellationToken) => StartAdapterAsync(
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

    private static JsonObject FolderOf(string place) =>
        new() { ["Location"] = new JsonObject { ["Kind"] = "folder", ["Path"] = place } };

    private static async Task StartAdapterAsync(
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

    public static Step AskTheAdapter { get; } = new(
        "The consumer system requests an export",
        "POST /exports at the adapter, with criteria: only paid orders. The answer is 202 at once.",
        AskTheAdapterAsync);

    private static async Task AskTheAdapterAsync(Tour tour, CancellationToken cancellationToken)
    {
        var export = tour.Keep(
            await tour.Adapter.AskAsync(tour.Wire, new { criteria = new { status = "paid" } }, cancellationToken));
        tour.Screen.Good("202 Accepted");
        tour.Screen.Figure("id", export.Id);
    }

    public static Step AwaitDeliveryByTheClock { get; } = new(
        "Wait for the fire time",
        "The export is requested with an idempotency key derived from the fire time: however often the adapter "
        + "dies, it is one export.",
        (tour, cancellationToken) => AwaitDeliveryAsync(tour, null, cancellationToken));

    public static Step AwaitDeliveryPolling { get; } = new(
        "Ask the adapter for the progress",
        "GET /exports/{id}, with Retry-After between two looks.",
        (tour, cancellationToken) => AwaitDeliveryAsync(tour, tour.AdapterExport.Id, cancellationToken));

    private static async Task AwaitDeliveryAsync(Tour tour, string? id, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        tour.Keep(await tour.Adapter.UntilAsync(
            tour.Wire, id, "delivered", export => tour.Screen.Figure($"after {watch.Elapsed.TotalSeconds:0.0} s", export.State),
            cancellationToken));
        tour.Screen.Good($"{tour.AdapterExport.Records:N0} records are delivered");
    }

    public static Step AwaitLoad { get; } = new(
        "The consumer's receipt",
        "GET /v1/batches/{batchId}/receipts: the producer sees who has applied what.",
        AwaitLoadAsync);

    private static async Task AwaitLoadAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        Receipt? receipt = null;
        while (receipt?.State is not { } state || !ReceiptState.IsEnd(state))
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(1))
                throw new DemoException($"The receipt is {receipt?.State ?? "not there"} after a minute.");
            await Task.Delay(100, cancellationToken);
            receipt = (await tour.Client.GetReceiptsAsync(tour.Export.BatchId, cancellationToken: cancellationToken)).Items
                .FirstOrDefault(each => each.Consumer == "billing");
        }
        tour.Screen.Figure(
            receipt.Consumer,
            $"{receipt.State}: {receipt.Succeeded:N0} succeeded, {receipt.Transient} transient, {receipt.Terminal} terminal");
        var (count, sum) = await tour.Known<ConsumerTable>().SumAsync(cancellationToken);
        await ReadSteps.CompareAsync(tour, count, sum, cancellationToken);
    }

    public static Step StartConsumerSystem { get; } = new(
        "Start a consumer system",
        "A web server that knows nothing about ClaimCheck except a secret to verify notices with.",
        async (tour, cancellationToken) =>
        {
            var system = tour.Keep(new ConsumerSystem());
            await system.StartAsync(cancellationToken);
            tour.Screen.Good($"it accepts notices at {system.Address}");
        });

    public static Step ReceiveNotice { get; } = new(
        "The notice arrives",
        "Signed as standardwebhooks.com says, with the export's id and a link to the files.",
        async (tour, cancellationToken) =>
        {
            var notice = await tour.ConsumerSystem.NextAsync(cancellationToken);
            if ((string?)notice["type"] != "export.delivered" || (string?)notice["data"]!["id"] != tour.AdapterExport.Id)
                throw new DemoException($"The notice is {notice["type"]} of {notice["data"]!["id"]}.");
            var export = tour.Keep(await tour.Adapter.GetAsync(tour.Wire, tour.AdapterExport.Id, cancellationToken));
            tour.Screen.Figure("type", $"{notice["type"]}");
            tour.Screen.Figure(
                "records", $"{(long)notice["data"]!["records"]!:N0} in {DemoScreen.Files((long)notice["data"]!["files"]!)}");
            if (export.Link is { } link)
                tour.Screen.Figure("link", ShownLinks.Of(link));
            tour.Screen.Good("its signature is valid");
        });

    public static Step ShowPlace { get; } = new(
        "Look at the shared location",
        "Complete files only, each verified; manifest.json has no links; _SUCCESS comes last.",
        ShowPlaceAsync);

    private static async Task ShowPlaceAsync(Tour tour, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(
            tour.Adapter.Place, tour.AdapterExport.Folder ?? throw new DemoException("Nothing is delivered."));
        foreach (var file in new DirectoryInfo(folder).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal))
            tour.Screen.Figure(file.Name, DemoScreen.Size(file.Length));
        if (!File.Exists(Path.Combine(folder, "_SUCCESS")))
            throw new DemoException("_SUCCESS is missing.");

        await using var manifest = File.OpenRead(Path.Combine(folder, "manifest.json"));
        var said = await JsonSerializer.DeserializeAsync<JsonElement>(manifest, ClaimCheckJson.Options, cancellationToken);
        var isCsv = said.GetProperty("format").GetString() == "csv"; // no value that is shown here contains a line break
        var lines = 0L;
        foreach (var file in said.GetProperty("files").EnumerateArray())
        {
            var path = Path.Combine(folder, file.GetProperty("name").GetString()!);
            await using var stored = File.OpenRead(path);
            var digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(stored, cancellationToken));
            if (digest != file.GetProperty("sha256").GetString())
                throw new DemoException($"{path} does not match the manifest.");
            stored.Position = 0;
            using var text = new StreamReader(new GZipStream(stored, CompressionMode.Decompress));
            while (await text.ReadLineAsync(cancellationToken) is not null)
                lines++;
            if (isCsv)
                lines--; // its header
        }
        if (lines != said.GetProperty("records").GetInt64())
            throw new DemoException($"There are {lines:N0} records, which does not match the manifest.");
        tour.Screen.Good($"{lines:N0} records, each file's SHA-256 matches the manifest");
    }

    public static Step TakeAwayAtTheSource { get; } = new(
        "The producer revokes the data",
        "The adapter notices it, and removes what it pushed: _REVOKED stays, with the reason.",
        async (tour, cancellationToken) =>
        {
            await tour.Client.RevokeAsync(tour.AdapterExport.BatchId!.Value, "The demo revokes it", cancellationToken);
            await GoneAsync(tour, "revoked", cancellationToken);
        });

    public static Step TakeAwayAtTheSourceWithNotice { get; } = new(
        "The producer revokes the data",
        "The adapter receives BulkRevoked, removes what it pushed, and notifies the consumer system.",
        async (tour, cancellationToken) =>
        {
            await tour.Client.RevokeAsync(tour.AdapterExport.BatchId!.Value, "The demo revokes it", cancellationToken);
            var notice = await tour.ConsumerSystem.NextAsync(cancellationToken);
            if ((string?)notice["type"] != "export.revoked")
                throw new DemoException($"The notice is {notice["type"]}, not export.revoked.");
            tour.Screen.Figure("the notice", $"{notice["type"]}: {notice["data"]!["reason"]}");
            await GoneAsync(tour, "revoked", cancellationToken);
        });

    public static Step TakeAwayByTheConsumerSystem { get; } = new(
        "The consumer system has finished",
        "DELETE /exports/{id} at the adapter: it removes the files, and revokes the batch at the service.",
        async (tour, cancellationToken) =>
        {
            using var answer = await tour.Wire.DeleteAsync(
                new Uri(tour.Adapter.Address, $"exports/{tour.AdapterExport.Id}?reason=done"), cancellationToken);
            tour.Screen.Figure("DELETE", $"{(int)answer.StatusCode}");
            if (!answer.IsSuccessStatusCode)
                throw new DemoException($"DELETE answered {(int)answer.StatusCode}.");
            await GoneAsync(tour, null, cancellationToken);
        });

    private static async Task GoneAsync(Tour tour, string? state, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(tour.Adapter.Place, tour.AdapterExport.Folder!);
        if (state is not null)
            await tour.Adapter.UntilAsync(tour.Wire, tour.AdapterExport.Id, "revoked", _ => { }, cancellationToken);
        var watch = Stopwatch.StartNew();
        while (new DirectoryInfo(folder).GetFiles().Any(file => file.Name.StartsWith("part-", StringComparison.Ordinal)))
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(30))
                throw new DemoException("The files are still there after 30 seconds.");
            await Task.Delay(100, cancellationToken);
        }
        var rest = new DirectoryInfo(folder).GetFiles().Select(file => file.Name).Where(name => name[0] != '.');
        tour.Screen.Good($"what is left: {string.Join(", ", rest.Order(StringComparer.Ordinal))}");
    }
}
