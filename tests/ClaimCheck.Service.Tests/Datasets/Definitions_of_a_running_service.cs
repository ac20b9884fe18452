using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Datasets;

/// <summary>What is wrong with one definition, at start or later, concerns that one alone; and what is fixed is noticed
/// without a restart.</summary>
public sealed class Definitions_of_a_running_service
{
    [Fact]
    public async Task One_bad_definition_stops_no_other_at_start_or_later()
    {
        await using var scene = await Scene.CreateAsync(10);
        await Scene.SqlAsync(
            scene.Source,
            "CREATE TYPE spans AS RANGE (SUBTYPE = text); CREATE TABLE ranged AS SELECT 1 AS id, 'empty'::spans AS span");
        scene.AddDataset("renamed", "SELECT id,\n  title FROM items");
        scene.AddDataset("ranged", "SELECT id, span, ARRAY[span] AS spans FROM ranged");
        scene.AddDataset("writing", "WITH made AS (INSERT INTO items VALUES (0) RETURNING id) SELECT id FROM made");
        scene.AddDataset("Named", "SELECT 1 AS id");
        scene.AddDataset("halves", "SELECT 1 AS id");
        File.WriteAllText(At("halves.json"), """{ "source": "source", """);
        var service = await scene.StartServiceAsync();
        using var http = new ApiClient(service.NewHttp());

        var all = (await http.GetAsync("/v1/datasets")).Items();
        Assert.Equal(["Named", "halves", "items", "ranged", "renamed", "slow", "writing"], all.Select(item => item.Text("name")));
        Assert.Equal(
            ["items", "ranged", "slow"],
            all.Where(item => item.GetProperty("available").GetBoolean()).Select(item => item.Text("name")));
        foreach (var (name, detail) in ((string, string)[])[
            ("Named", "datasets/Named.json: a dataset's name is lower-case"),
            ("halves", "datasets/halves.json:1: it is not JSON"),
            ("renamed", "datasets/renamed.sql:2: source refuses the query: column \"title\" does not exist (42703)."),
            ("writing", "datasets/writing.sql: its query writes (INSERT in items)")])
        {
            var asked = await http.PostAsync("/v1/exports", $$"""{ "dataset": "{{name}}" }""");
            asked.IsProblem(503, "definition_invalid");
            Assert.StartsWith(detail, asked.Json.Text("detail"), StringComparison.Ordinal);
            Assert.Equal(
                asked.Json.Text("detail"),
                (await http.GetAsync($"/v1/datasets/{name}")).Json.GetProperty("unavailable").Text("detail"));
            await LoggedAsync(service, $"Dataset {name} is unavailable: {asked.Json.Text("detail")}");
        }

        (await http.PostAsync(
            "/v1/batches",
            """{ "dataset": "halves", "files": [ { "name": "a.csv", "bytes": 1, "sha256": "0000000000000000000000000000000000000000000000000000000000000000", "records": 0 } ] }"""))
            .IsProblem(503, "definition_invalid");
        (await http.SendAsync("PUT", "/v1/schedules/late", ApiClient.Json(
            """{ "cron": "0 0 2 * * ?", "export": { "dataset": "halves" } }"""u8.ToArray())))
            .IsProblem(503, "definition_invalid");
        var ranged = await http.ReadyAsync("""{ "dataset": "ranged" }""");
        Assert.Equal(
            """{"id":1,"span":"empty","spans":["empty"]}""",
            (await http.GetAsync($"/v1/batches/{ranged.Text("batchId")}/records")).Items()[0].GetRawText());

        // One that becomes invalid while it is used: earlier requests continue, and are answered again.
        const string body = """{ "dataset": "items" }""";
        var first = await http.PostAsync("/v1/exports", body, ("Idempotency-Key", "before"), ("Prefer", "wait=60"));
        Assert.Equal((200, "ready"), (first.Status, first.Json.Text("state")));
        File.WriteAllText(At("items.json"), "{");
        await Eventually.TrueAsync(async () => (await http.PostAsync("/v1/exports", body)).Status == 503);
        Assert.Equal(
            first.Json.Text("exportId"),
            (await http.PostAsync("/v1/exports", body, ("Idempotency-Key", "before"))).Json.Text("exportId"));
        Assert.Equal(200, (await http.GetAsync($"/v1/batches/{first.Json.Text("batchId")}/manifest")).Status);
        Assert.Equal(200, (await http.SendAsync("DELETE", $"/v1/batches/{first.Json.Text("batchId")}")).Status);

        // The watch has only seen what has changed; the source's new column is found when it is asked.
        await Scene.SqlAsync(scene.Source, "ALTER TABLE items RENAME COLUMN name TO title");
        await Eventually.TrueAsync(
            async () => (await http.GetAsync("/v1/datasets/renamed")).Json.GetProperty("available").GetBoolean());
        await LoggedAsync(service, "Dataset renamed is available again.");

        string At(string name) => Path.Combine(scene.Datasets, name);
    }

    // The console is written to in the background.
    private static Task LoggedAsync(ServiceProcess service, string text) =>
        Eventually.TrueAsync(() => Task.FromResult(service.Log.Contains(text, StringComparison.Ordinal)), what: text);

    [Fact]
    public async Task Definitions_are_read_again_when_the_folder_changes_on_SIGHUP_and_on_request()
    {
        await using var scene = await Scene.CreateAsync(10);
        // As a volume of Kubernetes: files are links through one link, which is replaced as a whole.
        var volume = Directory.CreateDirectory(Path.Combine(scene.Datasets, "..", "volume")).FullName;
        Write("..1", "SELECT 1 AS id");
        File.CreateSymbolicLink(Path.Combine(volume, "..data"), "..1");
        foreach (var file in (string[])["linked.json", "linked.sql"])
            File.CreateSymbolicLink(Path.Combine(volume, file), $"..data/{file}");
        scene.Settings["ClaimCheck__Datasets"] = volume;
        var service = await scene.StartServiceAsync();
        using var http = new ApiClient(service.NewHttp());
        var running = await http.AskAsync("""{ "dataset": "linked" }""");

        Write("..2", "SELECT 1 AS id, 2 AS added");
        using (var swapped = System.Diagnostics.Process.Start("ln", ["-sfn", "..2", Path.Combine(volume, "..data")]))
            await swapped.WaitForExitAsync();
        await Eventually.TrueAsync(
            async () => (await http.GetAsync("/v1/datasets/linked")).Json.GetProperty("columns").GetArrayLength() == 2);

        await File.WriteAllTextAsync(Path.Combine(volume, "added.json"), """{ "source": "source", "key": "id" }""");
        await File.WriteAllTextAsync(Path.Combine(volume, "added.sql"), "SELECT 1 AS id");
        service.HangUp();
        await Eventually.TrueAsync(async () => (await http.GetAsync("/v1/datasets/added")).Status == 200);
        await LoggedAsync(service, "SIGHUP");

        File.Delete(Path.Combine(volume, "linked.sql"));
        File.Delete(Path.Combine(volume, "linked.json"));
        var read = await http.PostAsync("/v1/datasets/reload", "");
        Assert.Equal(200, read.Status);
        Assert.Equal(["added", "linked"], read.Json.GetProperty("items").EnumerateArray().Select(item => item.Text("name")));
        Assert.Equal(["name", "change", "available", "unavailable"], read.Json.GetProperty("items")[1].Names());
        Assert.Equal(("removed", false), (read.Json.GetProperty("items")[1].Text("change"),
            read.Json.GetProperty("items")[1].GetProperty("available").GetBoolean()));
        (await http.GetAsync("/v1/datasets/linked")).IsProblem(404, "not_found");
        (await http.PostAsync("/v1/exports", """{ "dataset": "linked" }""")).IsInvalid("dataset");
        Assert.Equal(
            "ready", (await http.GetAsync($"/v1/exports/{running.Text("exportId")}", ("Prefer", "wait=60"))).Json.Text("state"));

        // What concerns all: they stay as they were.
        Directory.Move(volume, volume + "-away");
        (await http.PostAsync("/v1/datasets/reload", "")).IsProblem(503, "definition_invalid");
        Assert.Equal(202, (await http.PostAsync("/v1/exports", """{ "dataset": "added" }""")).Status);
        Assert.False(service.HasExited);

        void Write(string version, string sql)
        {
            var folder = Directory.CreateDirectory(Path.Combine(volume, version)).FullName;
            File.WriteAllText(Path.Combine(folder, "linked.json"), """{ "source": "source", "key": "id" }""");
            File.WriteAllText(Path.Combine(folder, "linked.sql"), sql);
        }
    }
}
