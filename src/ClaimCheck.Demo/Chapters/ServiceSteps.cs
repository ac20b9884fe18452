namespace ClaimCheck.Demo.Chapters;

/// <summary>The service alone: an export, its event, its records, and their end.</summary>
internal static class ServiceSteps
{
    private const int FewOrders = 100_000;

    public static Step StartService { get; } = new(
        "Start the service",
        "Nothing is configured: it brings its own Postgres and a staging folder. The first start creates a sample\n"
        + "database of a million orders, which takes some seconds.",
        (tour, cancellationToken) => StartServiceAsync(tour, null, cancellationToken));

    public static Step StartServiceOnAws { get; } = new(
        "Start the service",
        "Two settings: the staging bucket and the topic. It brings its own database here too; the first start creates a sample\n"
        + "of a million orders, which takes some seconds.",
        (tour, cancellationToken) => StartServiceAsync(tour, tour.Known<AwsServers>().ForService, cancellationToken));

    public static Step StartServiceSmall { get; } = new(
        "Start the service",
        $"As before, with a sample of {FewOrders:N0} orders.",
        (tour, cancellationToken) => StartServiceAsync(
            tour, new Dictionary<string, string?> { ["ClaimCheck__Sample__Orders"] = $"{FewOrders}" }, cancellationToken));

    private static async Task StartServiceAsync(
        Tour tour, IReadOnlyDictionary<string, string?>? settings, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var service = tour.Keep(ServiceProcess.Start(settings));
        var client = tour.Keep(new ClaimCheckClient(await service.ListeningAsync(cancellationToken)));
        await service.ReadyAsync(tour.Wire, client.BaseAddress, cancellationToken);
        tour.Screen.Good($"ready at {client.BaseAddress} after {watch.Elapsed.TotalSeconds:0.0} s");
    }

    public static Step ShowDatasets { get; } = new(
        "List the datasets",
        "GET /v1/datasets. Datasets are queries that the operator defines; callers name them, and never write SQL.",
        ShowDatasetsAsync);

    private static async Task ShowDatasetsAsync(Tour tour, CancellationToken cancellationToken)
    {
        var datasets = await tour.Client.GetDatasetsAsync(cancellationToken: cancellationToken);
        var orders = datasets.Items.FirstOrDefault(dataset => dataset.Name == "orders")
            ?? throw new DemoException("The service does not list the dataset 'orders'.");
        if (!orders.Available)
            throw new DemoException("The dataset 'orders' is not available.");
        tour.Screen.Figure("dataset", $"{orders.Name}, key {orders.Key}, schema version {orders.SchemaVersion}");
        tour.Screen.Figure("columns", string.Join(", ", orders.Columns?.Select(column => $"{column.Name} {column.Type}") ?? []));
        tour.Screen.Figure("parameters", string.Join(", ", orders.Parameters.Select(each => $"{each.Key} {each.Value.Type}")));
        tour.Screen.Figure("formats", $"{string.Join(", ", orders.Formats)}; {string.Join(", ", orders.Compressions)}");
    }

    public static Step AskForExport { get; } = new(
        "Request an export",
        "POST /v1/exports answers at once: the work continues without the caller.",
        AskForExportAsync);

    private static async Task AskForExportAsync(Tour tour, CancellationToken cancellationToken)
    {
        var request = new ExportRequest { Dataset = "orders", MaxFileBytes = 8 * 1024 * 1024 };
        var watch = Stopwatch.StartNew();
        using var answer = await tour.Wire.PostAsJsonAsync(
            new Uri(tour.Client.BaseAddress, "v1/exports"), request, ClaimCheckJson.Options, cancellationToken);
        var took = watch.Elapsed;
        if (answer.StatusCode != HttpStatusCode.Accepted)
            throw new DemoException($"POST /v1/exports answered {(int)answer.StatusCode}, not 202.");
        if (answer.Headers.Location is not { } location)
            throw new DemoException("The 202 has no Location.");
        var export = tour.Keep(
            await answer.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options, cancellationToken)
            ?? throw new DemoException("The 202 has no export in it."));
        tour.Screen.Good($"202 Accepted after {took.TotalMilliseconds:0} ms");
        tour.Screen.Figure("Location", location.OriginalString);
        tour.Screen.Figure("batchId", export.BatchId.ToString());
    }

    public static Step WatchExport { get; } = new(
        "Watch it work",
        "A worker reads one snapshot of the source and streams it, compressed and checksummed, into staging.",
        WatchExportAsync);

    private static async Task WatchExportAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        await tour.Screen.ProgressAsync("orders", async report =>
        {
            while (!ExportState.IsSettled(tour.Export.State))
            {
                if (watch.Elapsed > TimeSpan.FromMinutes(3))
                    throw new DemoException("The export is not ready after three minutes.");
                // A short poll for the bar's sake; Prefer: wait=60 would be one request.
                await Task.Delay(150, cancellationToken);
                var progress = tour.Keep(
                    await tour.Client.GetExportAsync(tour.Export.ExportId, null, cancellationToken)).Progress;
                var share = progress.EstimatedRecords is > 0 and var all ? Math.Min(0.99, progress.Records / (double)all) : 0;
                report(share, $"{progress.Records:N0} records, {DemoScreen.Size(progress.Bytes)}");
            }
            report(1, $"{tour.Export.Progress.Records:N0} records");
        });
        if (tour.Export.State != ExportState.Ready)
            throw new DemoException(
                $"The export is {tour.Export.State}: {tour.Export.Failure?.Code} {tour.Export.Failure?.Detail}");
        var done = tour.Export.Progress;
        tour.Screen.Good(
            $"ready after {watch.Elapsed.TotalSeconds:0.0} s: {done.Records:N0} records in {DemoScreen.Files(done.Files)}, "
            + $"{DemoScreen.Size(done.Bytes)}");
    }

    private const int ProbesShown = 3;

    public static Step RevokeBatch { get; } = new(
        "Revoke the data",
        "DELETE /v1/batches/{batchId}: no link is minted from now on, the files are deleted, and the report proves it\n"
        + "by requesting each object through a link before and after.",
        RevokeBatchAsync);

    private static async Task RevokeBatchAsync(Tour tour, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var revocation = await tour.Client.RevokeAsync(tour.Export.BatchId, "The demo revokes it", cancellationToken);
        while (!revocation.IsVerified)
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(1))
                throw new DemoException($"The deletion is not verified after a minute: {revocation.Report.Pending}");
            await Task.Delay(200, cancellationToken);
            revocation = await tour.Client.RevokeAsync(tour.Export.BatchId, null, cancellationToken);
        }
        var report = revocation.Report;
        tour.Screen.Figure("state", report.State);
        tour.Screen.Figure("objects", $"{report.Objects.Deleted} deleted, {report.Objects.Remaining} remaining");
        foreach (var probe in report.Probes.Take(ProbesShown))
            tour.Screen.Figure(
                probe.Object,
                $"{probe.Before?.ToString() ?? "not asked"} before, {probe.After?.ToString() ?? "not asked"} after");
        if (report.Probes.Count > ProbesShown)
            tour.Screen.Line($"… and {report.Probes.Count - ProbesShown} more");
        if (report.Objects.Remaining != 0 || report.Probes.Any(probe => probe.After is not (403 or 404)))
            throw new DemoException("The report says verified, but something can still be read.");
        tour.Screen.Good(
            $"verified at {report.VerifiedAt:HH:mm:ss} UTC, {watch.Elapsed.TotalMilliseconds:0} ms after the request");
    }

    public static Step ShowDeadLinks { get; } = new(
        "Check that the links are dead",
        "The old links, the claim URL, the library and the feed all show it.",
        ShowDeadLinksAsync);

    private static async Task ShowDeadLinksAsync(Tour tour, CancellationToken cancellationToken)
    {
        var (ready, cursor, _) = tour.Known<ReadyEvent>();
        await DeadAsync(tour, "the event's link", ready.Location!, cancellationToken);
        await DeadAsync(tour, "a file's link", tour.Known<Manifest>().Files[0].Url, cancellationToken);
        await ClaimUrlAsync(tour, ready.BatchId, cancellationToken);
        await LibraryAsync(tour, ready, cancellationToken);
        await FeedWatch.UntilAsync(tour.Client, cursor, EventTypes.BulkRevoked, ready.BatchId, cancellationToken);
        tour.Screen.Good("the feed sends BulkRevoked to all its readers: stop, and discard what you fetched");
    }

    private static async Task DeadAsync(Tour tour, string what, Link link, CancellationToken cancellationToken)
    {
        using var answer = await tour.Wire.GetAsync(new Uri(link.Reveal()), cancellationToken);
        if (answer.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Forbidden or HttpStatusCode.Gone))
            throw new DemoException($"{what} still answers {(int)answer.StatusCode}.");
        // S3 tells the reason in XML.
        var text = answer.Content.Headers.ContentType?.MediaType?.EndsWith("/xml", StringComparison.Ordinal) == true
            ? await answer.Content.ReadAsStringAsync(cancellationToken)
            : "";
        var code = text.Split("<Code>") is [_, var after, ..] ? $" {after.Split('<')[0]}" : "";
        tour.Screen.Good($"{what} ({ShownLinks.Of(link)}) answers {(int)answer.StatusCode}{code}");
    }

    private static async Task ClaimUrlAsync(Tour tour, BatchId batch, CancellationToken cancellationToken)
    {
        using var answer = await tour.Wire.GetAsync(
            new Uri(tour.Client.BaseAddress, $"v1/batches/{batch}/manifest"), cancellationToken);
        var problem = answer.IsSuccessStatusCode
            ? null
            : await answer.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Gone || problem?.Code != ProblemCodes.BatchRevoked)
            throw new DemoException($"The claim URL answers {(int)answer.StatusCode} {problem?.Code}.");
        tour.Screen.Good($"the claim URL answers 410, {problem.Code}");
    }

    private static async Task LibraryAsync(Tour tour, BulkReadyData ready, CancellationToken cancellationToken)
    {
        using var reader = new BatchReader(tour.Client);
        try
        {
            await foreach (var _ in reader.ReadAsync<Order>(ready, cancellationToken))
                throw new DemoException("The library still returns records.");
        }
        catch (BatchRevokedException e)
        {
            tour.Screen.Good($"the library throws {e.GetType().Name}, which is not transient: it returns nothing");
            return;
        }
        throw new DemoException("The library treated the revoked batch as an empty one.");
    }

    public static Step SumUp { get; } = new("Summary", "In short:", SumUpAsync);

    private static Task SumUpAsync(Tour tour, CancellationToken cancellationToken)
    {
        var screen = tour.Screen;
        var ready = tour.Known<ReadyEvent>();
        screen.Good($"a message of {DemoScreen.Size(ready.Bytes)} stood for {ready.Data.Records:N0} records");
        screen.Good("the consumer read them when it was ready, verified, and each matches the source");
        screen.Good("the producer revoked them: every link is dead");
        return Task.CompletedTask;
    }
}
