using ClaimCheck.Testing;

namespace ClaimCheck.Import.Tests;

/// <summary><c>claimcheck import</c>, as a person or a script runs it.</summary>
public sealed class Running_the_tool : IAsyncLifetime
{
    private RecordEndpoint endpoint = null!;
    private ImportScene scene = null!;

    public async Task InitializeAsync()
    {
        endpoint = await RecordEndpoint.StartAsync();
        scene = ImportScene.For(endpoint.Address);
    }

    public async Task DisposeAsync()
    {
        await endpoint.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task A_run_is_started_shown_reported_and_retried()
    {
        endpoint.StatusOf = (id, times) => id == "o0000002" ? 503 : id == "o0000003" ? 422 : 200;
        var file = scene.Write("orders.csv", ImportScene.Csv(10) + "o11,x,\n");
        var config = scene.WriteConfig(endpoint.Address);
        var started = (await RunAsync("start", file, "--config", config, "--json")).Exits(8).Json;
        var id = (string)started["runId"]!;

        Assert.Equal(8, (int)started["counts"]!["succeeded"]!);
        Assert.Contains("8", (await RunAsync("status", id)).Exits(0).Output);
        Assert.Equal(id, (string?)(await RunAsync("status", "--json")).Exits(0).Json["runId"]);
        Assert.Equal(id, (string?)(await RunAsync("list", "--json")).Exits(0).Json["items"]![0]!["runId"]);
        var report = (await RunAsync("report", id, "--json")).Exits(0).Json;
        Assert.Equal(
            ["invalid wrong_type 1 12", "terminal said_422 1 4", "transient said_503 1 3"],
            report["failures"]!.AsArray().Select(kind => $"{kind!["class"]} {kind["code"]} {kind["count"]} {kind["lines"]![0]}")
                .Order(StringComparer.Ordinal));

        endpoint.StatusOf = (_, _) => 200;
        var retried = (await RunAsync("retry", id, "--json")).Exits(0).Json;
        Assert.Equal((id, 1), ((string?)retried["retryOf"], (int)retried["counts"]!["succeeded"]!));
        Assert.Equal(1, endpoint.Succeeded["o0000002"]);
        var nothing = (await RunAsync("retry", id, "--json")).Exits(1).Json;
        Assert.Equal("nothing_to_retry", (string?)nothing["code"]);
        Assert.Contains((string)retried["runId"]!, (string?)nothing["title"]);

        // The endpoint and the configuration were fixed.
        scene.Options.Mapping.Fields["amount"].Type = "text";
        scene.WriteConfig(endpoint.Address);
        var rest = (await RunAsync("retry", id, "--class", "terminal", "--class", "invalid", "--json")).Exits(0).Json;
        Assert.Equal(2, (int)rest["counts"]!["succeeded"]!);
        Assert.Equal(11, endpoint.Succeeded.Count);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
        // The text for people: no JSON, and where the failures lie.
        Assert.Contains("failed.ndjson", (await RunAsync("report", id)).Exits(0).Output);
    }

    [Fact]
    public async Task What_fails_again_on_a_retry_keeps_the_line_it_had()
    {
        endpoint.StatusOf = (id, _) => id == "o0000007" ? 500 : 200;
        var config = scene.WriteConfig(endpoint.Address);
        var id = (string)(await RunAsync(
            "start", scene.Write("orders.csv", ImportScene.Csv(10)), "--config", config, "--json")).Exits(8).Json["runId"]!;
        var retried = (string)(await RunAsync("retry", id, "--json")).Exits(8).Json["runId"]!;

        var (before, after) = (Assert.Single(await scene.FailuresAsync(id)), Assert.Single(await scene.FailuresAsync(retried)));
        Assert.Equal(before.ToJsonString(), after.ToJsonString());
        Assert.Equal(8, (int)after["line"]!);
    }

    [Fact]
    public async Task A_run_can_be_cancelled_from_elsewhere()
    {
        endpoint.Instead = async (_, _) =>
        {
            await Task.Delay(100);
            return false;
        };
        scene.Options.Parallelism = 1;
        scene.Options.BatchSize = 10;
        var config = scene.WriteConfig(endpoint.Address);
        await using var tool = ToolProcess.Start(
            "import", "start", scene.Write("orders.csv", ImportScene.Csv(5000)), "--config", config, "--json");
        var run = await Eventually.NotNullAsync(
            async () => (await scene.Runs.ListAsync(1, default)).FirstOrDefault(found => found.Counts.Succeeded > 0));
        Assert.True(run.Active);
        Assert.NotNull((await scene.Runs.ShowAsync(run.RunId, default)).EstimatedEndAt);
        (await RunAsync("cancel", run.RunId)).Exits(0);
        var ended = (await tool.EndAsync()).Exits(5).Json;

        Assert.Equal("cancelled", (string?)ended["state"]);
        Assert.Equal(endpoint.Succeeded.Count, (int)ended["counts"]!["succeeded"]!);
        Assert.Equal(5000 - endpoint.Succeeded.Count, (int)ended["counts"]!["pending"]!);
        (await RunAsync("resume", run.RunId)).Exits(1);
        (await RunAsync("cancel", run.RunId)).Exits(1);
    }

    [Fact]
    public async Task Errors_have_their_exit_codes()
    {
        var config = scene.WriteConfig(endpoint.Address);
        (await RunAsync("status", "imp_0123")).Exits(3);
        (await RunAsync("report", "../../etc")).Exits(3);
        (await RunAsync("status")).Exits(3);
        (await RunAsync("start")).Exits(2);
        (await RunAsync("start", "--config", config)).Exits(2);
        (await RunAsync("start", "x.csv", "--config", Path.Combine(scene.Folder, "none.json"))).Exits(2);
        (await RunAsync("start", Path.Combine(scene.Folder, "none.csv"), "--config", config)).Exits(1);
        (await RunAsync("start", "--watch", Path.Combine(scene.Folder, "none"), "--config", config)).Exits(6);
        (await RunAsync("start", scene.Write("empty.csv", ""), "--config", config)).Exits(5);
        (await RunAsync("retry", "imp_00", "--class", "all")).Exits(2);
        scene.Options.BatchSize = 0;
        var wrong = (await RunAsync("start", "x.csv", "--config", scene.WriteConfig(endpoint.Address), "--json")).Exits(2).Json;
        Assert.Contains("batchSize is 0", (string?)wrong["title"]);
    }

    private async Task<ToolResult> RunAsync(params string[] arguments)
    {
        await using var tool = ToolProcess.Start(["import", .. arguments, "--state", scene.State]);
        return await tool.EndAsync();
    }
}
