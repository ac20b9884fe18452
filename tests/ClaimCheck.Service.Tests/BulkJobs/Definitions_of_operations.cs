using System.Text;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>Operations are read as strictly as datasets, and checked against their target.</summary>
public sealed class Definitions_of_operations
{
    private const string Item = "UPDATE orders SET status = :status WHERE id = :id";
    private const string Whole =
        """ "target": "source", "form": "item", "key": "id", "parameters": { "id": { "type": "text" }, "status": { "type": "text" } } """;

    [Theory]
    [InlineData("""{ "form": "item", "key": "id", "parameters": { "id": { "type": "text" } } }""", Item, "target is missing")]
    [InlineData("""{ "target": "source", "form": "rows", "key": "id", "parameters": { "id": { "type": "text" } } }""", Item,
        "form must be one of item, set")]
    [InlineData("{" + Whole + """, "chunk": 0 }""", Item, "chunk must be an integer from 1 to 10000")]
    [InlineData("{" + Whole + """, "chunks": 7 }""", Item, "unknown field chunks")]
    [InlineData("{" + Whole + """, "atomicity": "none" }""", Item, "atomicity must be one of item, chunk, job")]
    [InlineData("{" + Whole + "}", "SELECT 1", "it does not begin with UPDATE or INSERT or DELETE or MERGE or WITH")]
    [InlineData(
        "{" + Whole + "}", "UPDATE orders SET status = :status", "parameters declares id, which the statement does not use")]
    [InlineData("{" + Whole + "}", Item + " AND :other", "the statement uses :other, which parameters does not declare")]
    [InlineData("{" + Whole + "}", Item + "; DELETE FROM orders", "it has more than one statement")]
    [InlineData("""{ "target": "source", "form": "set", "key": "id", "parameters": { "id": { "type": "text" } } }""",
        "UPDATE orders SET status = :id", "a statement of form set reads its items from the relation items(ordinal, id)")]
    [InlineData("""{ "target": "source", "form": "item", "key": "other", "parameters": { "id": { "type": "text" } } }""",
        "DELETE FROM orders WHERE id = :id", "key is other, which parameters does not declare")]
    public void What_can_t_be_used_is_refused_with_the_reason(string json, string sql, string reason) =>
        Assert.Contains(reason, Assert.ThrowsAny<FormatException>(
            () => OperationReader.Read("name", Encoding.UTF8.GetBytes(json), sql)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task What_does_not_fit_its_target_makes_it_unavailable_and_is_read_again_when_it_is_fixed()
    {
        (string Name, string Form, string Sql, string File, string Reason)[] bad =
        [
            ("column", "item", "UPDATE orders SET status = :status\nWHERE nothing = :id", "column.sql:2",
                "column \"nothing\" does not exist"),
            ("rows", "item", Item + " RETURNING id", "rows.sql", "leave RETURNING out"),
            ("ranges", "item", Item + " RETURNING 'empty'::spans", "ranges.sql", "leave RETURNING out"),
            ("ordinals", "set", "UPDATE orders o SET status = i.status FROM items i WHERE o.id = i.id", "ordinals.sql",
                "RETURNING i.ordinal"),
            ("state", "set", "UPDATE orders o SET status = i.state\nFROM items i WHERE o.id = i.id RETURNING i.ordinal",
                "state.sql:1", "state"),
        ];
        await using var scene = await JobScene.CreateAsync(1);
        await Scene.SqlAsync(scene.Target, "CREATE TYPE spans AS RANGE (SUBTYPE = text)");
        foreach (var (name, form, sql, _, _) in bad)
            scene.AddOperation(name, form, sql);
        scene.AddOperation("nowhere", "item", Item);
        File.WriteAllText(
            Path.Combine(scene.Operations, "nowhere.json"),
            "{" + Whole.Replace("source", "elsewhere", StringComparison.Ordinal) + "}");
        File.WriteAllText(Path.Combine(scene.Operations, "text.json"), "no JSON");
        File.WriteAllText(Path.Combine(scene.Operations, "text.sql"), Item);
        await using var service = await ServiceProcess.StartAsync(scene.Scene.Settings);
        using var api = new ApiClient(service.NewHttp());

        foreach (var (name, file, reason) in (IEnumerable<(string, string, string)>)[.. bad.Select(
            one => (one.Name, one.File, one.Reason)),
            ("nowhere", "nowhere.json:1", "ConnectionStrings:elsewhere is not set"), ("text", "text.json:1", "it is not JSON")])
        {
            var shown = (await api.GetAsync($"/v1/operations/{name}")).Json;
            Assert.False(shown.GetProperty("available").GetBoolean());
            var detail = shown.GetProperty("unavailable").Text("detail")!;
            Assert.StartsWith($"operations/{file}: ", detail, StringComparison.Ordinal);
            Assert.Contains(reason, detail, StringComparison.Ordinal);
            var asked = await api.PostAsync(
                "/v1/bulk-jobs", $$"""{ "operation": "{{name}}", "items": [ { "id": "ord_0", "status": "x" } ] }""");
            asked.IsProblem(503, "definition_invalid");
            Assert.Equal(detail, asked.Json.Text("detail"));
            (await api.SendAsync("POST", $"/v1/bulk-jobs?operation={name}", new StringContent(
                "{}", Encoding.UTF8, "application/x-ndjson"))).IsProblem(503, "definition_invalid");
            await Eventually.TrueAsync(
                () =>
                    Task.FromResult(service.Log.Contains($"Operation {name} is unavailable: {detail}", StringComparison.Ordinal)),
                what: detail);
        }

        Assert.Equal(13, (await api.GetAsync("/v1/operations")).Items().Length);
        const string good = """{ "operation": "item", "items": [ { "id": "ord_0", "status": "x" } ] }""";
        var first = await api.PostAsync("/v1/bulk-jobs", good, ("Idempotency-Key", "once"), ("Prefer", "wait=60"));
        Assert.Equal((200, "completed"), (first.Status, first.Json.Text("status")));

        scene.AddOperation("rows", "item", Item);
        File.WriteAllText(Path.Combine(scene.Operations, "item.sql"), "UPDATE");
        File.Delete(Path.Combine(scene.Operations, "set.sql"));
        File.Delete(Path.Combine(scene.Operations, "set.json"));
        var read = (await api.PostAsync("/v1/operations/reload", "")).Json.GetProperty("items").EnumerateArray()
            .ToDictionary(item => item.Text("name")!);

        Assert.Equal(("changed", true), (read["rows"].Text("change"), read["rows"].GetProperty("available").GetBoolean()));
        Assert.Equal(("changed", false), (read["item"].Text("change"), read["item"].GetProperty("available").GetBoolean()));
        Assert.Equal(("unchanged", "removed"), (read["loose"].Text("change"), read["set"].Text("change")));
        (await api.GetAsync("/v1/operations/set")).IsProblem(404, "not_found");
        (await api.PostAsync("/v1/bulk-jobs", good, ("Idempotency-Key", "another"))).IsProblem(503, "definition_invalid");
        Assert.Equal(
            first.Json.Text("jobId"),
            (await api.PostAsync("/v1/bulk-jobs", good, ("Idempotency-Key", "once"))).Json.Text("jobId"));
        Assert.Equal(
            202, (await api.PostAsync("/v1/bulk-jobs", good.Replace("item\"", "rows\"", StringComparison.Ordinal))).Status);
    }

    [Fact]
    public async Task The_shipped_operation_runs_over_the_sample_database()
    {
        var data = Directory.CreateTempSubdirectory("claimcheck-shipped-").FullName;
        try
        {
            var catalog = await PostgresServer.NewDatabaseAsync();
            await using var service = await ServiceProcess.StartAsync(new Dictionary<string, string>
            {
                ["ConnectionStrings__Catalog"] = catalog,
                ["ClaimCheck__DataDirectory"] = data,
                ["ClaimCheck__Sample__Orders"] = "10",
                ["ClaimCheck__Sample__Database"] = "sample_of_jobs",
            });
            using var http = service.NewHttp();
            var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
                http, "",
                """{ "operation": "update_orders_status", "items": [ { "id": 1, "status": "shipped" }, { "id": 99, "status": "shipped" } ] }""",
                "application/json"));
            Assert.Equal((1, 1, null), (job.Succeeded, job.Failed, job.Failure));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
