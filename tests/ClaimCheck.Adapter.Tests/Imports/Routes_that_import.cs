using System.Net;
using System.Text.Json.Nodes;
using ClaimCheck.Import.Tests;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Imports;

/// <summary>Files of a folder go to an endpoint, record by record, and each import is a resource.</summary>
public sealed class Routes_that_import : IAsyncLifetime
{
    private const string Crm = "crm-key-crm-key-crm-key-crm-key-crm";
    private const string Erp = "erp-key-erp-key-erp-key-erp-key-erp";
    private RecordEndpoint endpoint = null!;
    private ImportScene scene = null!;

    public async Task InitializeAsync()
    {
        endpoint = await RecordEndpoint.StartAsync();
        scene = ImportScene.For(endpoint.Address.AbsoluteUri);
    }

    public async Task DisposeAsync()
    {
        await scene.DisposeAsync();
        await endpoint.DisposeAsync();
    }

    [Fact]
    public async Task Killed_halfway_and_started_again_each_record_ends_once()
    {
        var calls = 0;
        endpoint.Instead = async (_, context) =>
        {
            // From the tenth on nothing is answered: the process dies over what is under way.
            if (Interlocked.Increment(ref calls) > 10)
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return context.RequestAborted.IsCancellationRequested;
        };
        await scene.StartAsync();
        scene.Drop("orders.csv", 3000, total: i => i % 500 == 7 ? "many" : "1.50");
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref calls) >= 14));
        await scene.KillAsync();
        Assert.InRange(endpoint.Succeeded.Count, 1, 2900);

        endpoint.Instead = (_, _) => Task.FromResult(false);
        await scene.StartAsync();

        var import = await scene.BecomesAsync("completed");
        Assert.Equal(
            (3000, 2994, 6),
            ((int)import["counts"]!["records"]!, (int)import["counts"]!["succeeded"]!, (int)import["counts"]!["invalid"]!));
        Assert.Equal(2994, endpoint.Succeeded.Count);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
        Assert.Empty(endpoint.BrokenKeys);
        Assert.Single(await scene.ImportsAsync());
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(scene.Source, "done", "orders.csv"))));
        Assert.Equal(0, await scene.Adapter.StopAsync());
        Assert.DoesNotContain("o2999", scene.Adapter.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_failed_is_reported_listed_and_retried_once()
    {
        var isMended = false;
        endpoint.StatusOf = (id, _) => id switch
        {
            "o5" => Volatile.Read(ref isMended) ? 200 : 422,
            "o6" => 503,
            _ => 200,
        };
        await scene.StartAsync();
        scene.Drop("orders.csv", 50, total: i => i == 7 ? "many" : "1");
        var import = await scene.BecomesAsync("completed");
        var id = (string)import["id"]!;
        Assert.Equal(
            (47, 2, 1),
            ((int)import["counts"]!["succeeded"]!, (int)import["counts"]!["failed"]!, (int)import["counts"]!["invalid"]!));
        Assert.DoesNotContain(scene.State, import.ToJsonString(), StringComparison.Ordinal);

        var report = await scene.GetAsync($"/imports/{id}/report");
        Assert.Equal(
            ["invalid", "terminal", "transient"],
            report["failures"]!.AsArray().Select(each => (string)each!["class"]!).Order(StringComparer.Ordinal));
        var lines = (await scene.Http.GetStringAsync($"/imports/{id}/failures?class=terminal&class=invalid")).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["o7", "o5"], lines.Select(line => (string)JsonNode.Parse(line)!["record"]!["order_id"]!));

        isMended = true;
        var first = await RetryAsync(id, "?class=terminal", HttpStatusCode.Accepted);
        var again = await RetryAsync(id, "?class=terminal", HttpStatusCode.OK);
        Assert.Equal(((string)first["id"]!, id), ((string)again["id"]!, (string)first["retryOf"]!));
        var retried = await scene.BecomesAsync("completed", (string)first["id"]!, imports: 2);
        Assert.Equal(1, (int)retried["counts"]!["succeeded"]!);
        using var none = await scene.Http.PostAsync($"/imports/{first["id"]}/retry?class=terminal", null);
        Assert.Equal("nothing_to_retry", (string)JsonNode.Parse(await none.Content.ReadAsStringAsync())!["code"]!);
    }

    [Fact]
    public async Task One_that_is_cancelled_sends_nothing_more_and_its_file_moves_on()
    {
        endpoint.StatusOf = (_, _) => 503;
        scene.Route["Import"]!["Retry"] = new JsonObject { ["Delay"] = "00:00:00.005", ["Rounds"] = 100 };
        await scene.StartAsync();
        scene.Drop("orders.csv", 100);
        await Eventually.TrueAsync(
            async () => (await scene.ImportsAsync()) is [var one] && (int)one["counts"]!["retrying"]! == 100);
        var id = (string)(await scene.ImportsAsync())[0]["id"]!;
        using (var early = await scene.Http.PostAsync($"/imports/{id}/retry", null))
            Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);

        for (var times = 0; times < 2; times++)
        {
            using var answer = await scene.Http.DeleteAsync($"/imports/{id}");
            Assert.Equal((HttpStatusCode.OK, "cancelled"), (answer.StatusCode, (string)JsonNode.Parse(
                await answer.Content.ReadAsStringAsync())!["state"]!));
        }

        var calls = endpoint.All.Count;
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(Path.Combine(scene.Source, "failed", "orders.csv"))));
        Assert.Equal(calls, endpoint.All.Count);
    }

    [Fact]
    public async Task Callers_see_the_imports_of_their_routes_page_by_page()
    {
        var other = Directory.CreateDirectory(Path.Combine(scene.Source, "theirs")).FullName;
        scene.AddRoute("theirs", other, endpoint.Address.AbsoluteUri)["Callers"] = new JsonArray("erp");
        scene.Route["Callers"] = new JsonArray("crm");
        scene.Settings["ApiKeys"] = new JsonObject { ["crm"] = Crm, ["erp"] = Erp };
        await scene.StartAsync();
        scene.Http.DefaultRequestHeaders.Authorization = new("Bearer", Erp);
        scene.Drop("theirs.csv", 5, "t", source: other);
        var theirs = await scene.BecomesAsync("completed");
        scene.Http.DefaultRequestHeaders.Authorization = new("Bearer", Crm);
        for (var i = 0; i < 5; i++)
            scene.Drop($"orders{i}.csv", 5, $"o{i}-");
        await Eventually.TrueAsync(
            async () => (await scene.ImportsAsync()).Count(each => (string)each["state"]! == "completed") == 5);

        var read = new List<string>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await scene.GetAsync($"/imports?route=orders&limit=2{(cursor.Length == 0 ? "" : "&cursor=" + cursor)}");
            read.AddRange(page["items"]!.AsArray().Select(each => (string)each!["id"]!));
            cursor = (string?)page["nextCursor"];
        }

        Assert.Equal(read.OrderDescending(StringComparer.Ordinal), read);
        Assert.Equal((5, 5), (read.Count, read.Distinct().Count()));
        var route = Assert.Single((await scene.GetAsync("/routes"))["items"]!.AsArray())!;
        Assert.Equal(
            ("orders", "import", 5), ((string)route["name"]!, (string)route["pattern"]!, (int)route["states"]!["completed"]!));
        foreach (var (path, status) in new (string, int)[]
                 {
                     ($"/imports/{theirs["id"]}", 404), ($"/imports/{theirs["id"]}/failures", 404),
                     ("/imports?route=theirs", 400), ("/imports/imp_..%2f..%2fx", 404),
                     ("/imports/none/report", 404), ("/imports?limit=0", 400), ("/imports?cursor=AAAA", 400),
                     ($"/imports/{read[0]}/failures?class=none", 400), ("/exports", 404),
                 })
        {
            using var answer = await scene.Http.GetAsync(path);
            Assert.True((int)answer.StatusCode == status, $"{path}: {answer.StatusCode}");
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        }

        using (var both = await scene.Http.GetAsync($"/imports/{read[0]}/failures?class=transient&class=terminal"))
            Assert.Equal((HttpStatusCode.OK, "no"), (both.StatusCode, both.Headers.GetValues("X-Accel-Buffering").Single()));
        using (var delete = await scene.Http.DeleteAsync($"/imports/{theirs["id"]}"))
            Assert.Equal(HttpStatusCode.NotFound, delete.StatusCode);
        scene.Http.DefaultRequestHeaders.Authorization = null;
        using var nobody = await scene.Http.GetAsync("/imports");
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task A_source_that_is_not_there_yet_is_waited_for()
    {
        scene.Settings["Retry"] = new JsonObject { ["Delay"] = "00:00:00.05", ["LongestDelay"] = "00:00:00.1" };
        Directory.Delete(scene.Source);
        await scene.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(scene.Adapter.Log.Contains("can't watch its source", StringComparison.Ordinal)));
        Directory.CreateDirectory(scene.Source);
        scene.Drop("orders.csv", 5);
        await scene.BecomesAsync("completed");
    }

    [Fact]
    public async Task A_check_says_whether_source_and_endpoint_can_be_used()
    {
        var (code, output) = await scene.RunAsync("--check");
        Assert.True(code == 0, output);
        Assert.Empty(endpoint.All);
        scene.Route["Import"]!["Source"] = scene.Source + "-none";
        scene.Route["Import"]!["Endpoint"]!["Url"] = "http://127.0.0.1:9/records";
        (code, output) = await scene.RunAsync("--check");
        Assert.Equal(2, code);
        Assert.Contains("2 of these can't be used", output, StringComparison.Ordinal);
    }

    private async Task<JsonNode> RetryAsync(string id, string query, HttpStatusCode status)
    {
        using var answer = await scene.Http.PostAsync($"/imports/{id}/retry{query}", null);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{answer.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }
}
