using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Failures;

/// <summary>SIGTERM while everything is busy.</summary>
public sealed class The_service_is_told_to_stop
{
    private const int Items = 30_000;

    // On a busy machine too: well before the 20 seconds after which the service waits for nobody.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(16);

    [Fact]
    public async Task It_takes_no_new_work_hands_back_what_runs_and_lets_callers_go()
    {
        await using var scene = await Scene.CreateAsync(Items);
        scene.AddDataset("held", Hold.Gated(25_000));
        scene.AddDataset("wide", "SELECT id, repeat('x', 5000) AS name FROM items WHERE id <= 10000 ORDER BY id");
        var first = await scene.StartServiceAsync();
        using var client = new Client(first);
        var wide = await client.AskAsync("wide");
        await client.UntilAsync(wide, ExportState.Ready);
        await client.EventAsync(wide, EventTypes.BulkReady);
        await using var gate = await Hold.TakeAsync(scene.Source, Hold.Gate);
        var exports = new[] { await client.AskAsync("held"), await client.AskAsync("held"), await client.AskAsync("items") };
        await Hold.IsMetAsync(scene.Source, "COPY", times: 2);
        Assert.Equal((2, 1), await CountAsync(scene));

        // A reader who does not read, one at the service and one at a link; long polls; a stream of events.
        using var data = await client.Http.GetAsync($"/v1/batches/{wide.BatchId}/data", HttpCompletionOption.ResponseHeadersRead);
        var page = (await System.Net.Http.Json.HttpClientJsonExtensions.GetFromJsonAsync<Page<BulkEvent>>(
            client.Http, "/v1/events", ClaimCheckJson.Options))!;
        var events = client.Http.GetAsync($"/v1/events?wait=60&after={page.NextCursor}");
        using var waits = new HttpRequestMessage(HttpMethod.Get, $"/v1/exports/{exports[0].ExportId}");
        waits.Headers.Add("Prefer", "wait=60");
        var export = client.Http.SendAsync(waits);
        using var streams = new HttpRequestMessage(HttpMethod.Get, "/v1/events");
        streams.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var stream = await client.Http.SendAsync(streams, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync());
        while (await lines.ReadLineAsync() is { } line && !line.StartsWith("data: ", StringComparison.Ordinal))
        {
            // What comes before the first event.
        }

        var streamed = lines.ReadToEndAsync();

        var told = Stopwatch.StartNew();
        var stopped = first.StopAsync();

        await Eventually.TrueAsync(async () => await CountAsync(scene) == (0, 3), AtOnce, "what runs is handed back at once");
        Assert.Equal(0, await Scene.ScalarAsync<int>(scene.Catalog, "SELECT max(tries) FROM exports"));
        Assert.Equal(HttpStatusCode.OK, (await events.WaitAsync(TimeSpan.FromSeconds(30))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await export.WaitAsync(TimeSpan.FromSeconds(30))).StatusCode);
        await streamed.WaitAsync(TimeSpan.FromSeconds(30)); // the stream ends whole
        Assert.Equal(0, await stopped);
        Assert.True(told.Elapsed < TimeSpan.FromSeconds(45), $"It took {told.Elapsed} to stop.");
        Assert.Equal((0, 3), await CountAsync(scene));

        await gate.ReleaseAsync();
        var second = await scene.StartServiceAsync();
        using var after = new Client(second);
        await Eventually.TrueAsync(
            async () =>
                await Scene.ScalarAsync<int>(scene.Catalog, "SELECT min(leases) FROM exports WHERE dataset = 'held'") >= 2);
        foreach (var one in exports)
        {
            await after.UntilAsync(one, ExportState.Ready);
            await after.AssertWholeAsync(one, Items);
            await after.EventAsync(one, EventTypes.BulkReady);
        }

        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), [wide, .. exports]);
    }

    [Fact]
    public async Task A_slow_download_from_a_link_holds_no_export_back()
    {
        await using var scene = await Scene.CreateAsync(Items);
        scene.AddDataset("held", Hold.Gated(25_000));
        scene.AddDataset("wide", "SELECT id, repeat('x', 5000) AS name FROM items WHERE id <= 10000 ORDER BY id");
        var first = await scene.StartServiceAsync();
        using var client = new Client(first);
        using var asked = await client.Http.PostAsync(
            "/v1/exports",
            new StringContent("""{ "dataset": "wide", "compression": "none" }""", System.Text.Encoding.UTF8, "application/json"));
        var wide = (await System.Net.Http.Json.HttpContentJsonExtensions.ReadFromJsonAsync<Export>(
            asked.Content, ClaimCheckJson.Options))!;
        await client.UntilAsync(wide, ExportState.Ready);
        await using var gate = await Hold.TakeAsync(scene.Source, Hold.Gate);
        var held = await client.AskAsync("held");
        await Hold.IsMetAsync(scene.Source, "COPY");
        using var link = await client.Http.GetAsync($"/v1/batches/{wide.BatchId}/files/part-00001.csv");
        using var download = await client.Http.GetAsync(link.Headers.Location, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, download.StatusCode);

        var stopped = first.StopAsync();

        await Eventually.TrueAsync(
            async () => await CountAsync(scene) == (0, 1), AtOnce, "the export is handed back while the download lasts");
        Assert.Equal(0, await stopped);
        Assert.Equal(
            0, await Scene.ScalarAsync<int>(scene.Catalog, $"SELECT tries FROM exports WHERE id = '{held.ExportId.Value}'"));
    }

    [Fact]
    public async Task The_embedded_Postgres_stops_with_it()
    {
        await using var scene = await Scene.CreateAsync(100);
        scene.Settings.Remove("ConnectionStrings__Catalog");
        var service = await scene.StartServiceAsync();
        using var client = new Client(service);
        var export = await client.AskAsync("items");
        await client.UntilAsync(export, ExportState.Ready);
        Assert.NotEmpty(ServersOf(service));

        Assert.Equal(0, await service.StopAsync());

        // Its data are safe by now; the last of its processes may take a moment more.
        await Eventually.TrueAsync(
            () => Task.FromResult(ServersOf(service).Count == 0), what: "no process of the server is left");
    }

    // Running, pending.
    private static async Task<(long Running, long Pending)> CountAsync(Scene scene) =>
    (
        await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM exports WHERE state = 'running'"),
        await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM exports WHERE state = 'pending'")
    );

    // A server stands in its data directory, which the service's log names.
    private static List<int> ServersOf(ServiceProcess service)
    {
        return [.. Directory.GetDirectories("/proc").Select(path => Path.GetFileName(path))
            .Where(name => int.TryParse(name, out _)).Where(IsOurs).Select(int.Parse)];

        bool IsOurs(string pid)
        {
            try
            {
                return File.ReadAllText($"/proc/{pid}/comm").Trim() == "postgres"
                    && new FileInfo($"/proc/{pid}/cwd").LinkTarget is { } data
                    && service.Log.Contains(data, StringComparison.Ordinal);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false; // it has ended meanwhile
            }
        }
    }
}
