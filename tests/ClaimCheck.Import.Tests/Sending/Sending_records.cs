using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ClaimCheck.Import.Tests.Sending;

/// <summary>What the endpoint says decides what becomes of a record.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class Sending_records : IAsyncLifetime
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
    public async Task Records_are_renamed_typed_and_sent_in_batches_in_parallel()
    {
        endpoint.Instead = async (_, _) =>
        {
            await Task.Delay(20); // a call that takes no time would never meet another
            return false;
        };
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(950)));

        Assert.Equal("completed", run.State);
        Assert.Equal((950, 950, 0, 0), (run.Counts.Records, run.Counts.Succeeded, run.Counts.Failed, run.Counts.Invalid));
        Assert.Equal(10, endpoint.Calls.Count);
        Assert.All(endpoint.Calls.Keys, key => Assert.Matches($"^{run.RunId}-[0-9]+$", key));
        Assert.Equal(
            """{"id":"o0000001","amount":1.50,"status":"paid"}""", endpoint.Calls[$"{run.RunId}-1"].Items[0]!.ToJsonString());
        Assert.InRange(endpoint.MostAtOnce, 2, 4);
        Assert.Null(run.Rejects);
    }

    [Fact]
    public async Task Compressed_lines_of_json_are_read_too()
    {
        var lines = string.Concat(
            Enumerable.Range(1, 250).Select(i => $$"""{"order_id":"o{{i}}","total":{{i}}.0,"deep":{"a":[1] } }""" + "\r\n"));
        var run = await scene.ImportAsync(scene.Write("orders.ndjson.gz", ImportScene.Gzip(lines)));

        Assert.Equal((250, "completed"), (run.Counts.Succeeded, run.State));
        Assert.Equal(250, endpoint.Succeeded.Count);
    }

    [Fact]
    public async Task Transient_failures_are_sent_again_alone_and_terminal_ones_never()
    {
        endpoint.StatusOf = (id, times) => id switch
        {
            "o0000003" => times < 3 ? 503 : 200,
            "o0000004" => 422,
            "o0000005" => 500,
            "o0000006" => times == 1 ? 429 : 404,
            _ => 200,
        };
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(100)));

        Assert.Equal((97, 3), (run.Counts.Succeeded, run.Counts.Failed));
        Assert.Equal(3, endpoint.Asked["o0000003"]);
        Assert.Equal(1, endpoint.Asked["o0000004"]);
        Assert.Equal(scene.Options.Retry.Rounds, endpoint.Asked["o0000005"]);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
        Assert.Equal(3, endpoint.Calls[$"{run.RunId}-1-2"].Items.Count);
        var failures = (await scene.FailuresAsync(run.RunId)).OrderBy(line => (long)line["line"]!)
            .Select(line => line.ToJsonString()).ToList();
        Assert.Equal(
            """{"line":5,"key":"o0000004","class":"terminal","code":"said_422","message":"It is 422.","record":{"order_id":"o0000004","total":"4.50","note":"note, 4"}}""",
            failures[0]);
        Assert.Equal("transient", (string?)JsonNode.Parse(failures[1])!["class"]);
        Assert.Equal("said_404", (string?)JsonNode.Parse(failures[2])!["code"]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(run.Rejects!));
    }

    [Theory]
    [InlineData(400, "terminal", 1)]
    [InlineData(409, "terminal", 1)]
    [InlineData(302, "terminal", 1)]
    [InlineData(408, "transient", 12)]
    [InlineData(425, "transient", 12)]
    [InlineData(429, "transient", 12)]
    [InlineData(503, "transient", 12)]
    public async Task An_answer_to_the_whole_call_holds_for_all_its_records(int status, string failureClass, int calls)
    {
        endpoint.Instead = (_, context) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/elsewhere";
            return Task.FromResult(true);
        };
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(10)));

        Assert.Equal(("completed", 10L), (run.State, run.Counts.Failed));
        Assert.All(await scene.FailuresAsync(run.RunId), line =>
            Assert.Equal((failureClass, $"http_{status}"), ((string?)line["class"], (string?)line["code"])));
        // Nothing is known of what took effect, so the key stays the same however often it is tried.
        Assert.Equal(calls, endpoint.All.Count);
        Assert.Single(endpoint.All.Select(call => call.IdempotencyKey).Distinct());
    }

    [Fact]
    public async Task Whoever_asks_for_time_gets_it()
    {
        var times = 0;
        endpoint.Instead = (_, context) =>
        {
            if (Interlocked.Increment(ref times) > 2)
                return Task.FromResult(false);
            context.Response.StatusCode = times == 1 ? 409 : 503; // 409: the same key is still under way
            context.Response.Headers.RetryAfter = "1";
            return Task.FromResult(true);
        };
        scene.Options.Retry.LongestRoundDelay = TimeSpan.FromSeconds(5);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(10)));

        Assert.Equal(10, run.Counts.Succeeded);
        Assert.True(watch.Elapsed > TimeSpan.FromSeconds(1.9), "It came back too early.");
    }

    [Theory]
    [InlineData("""{ "items": [ { "index": 0, "status": 200 }, { "index": 0, "status": 200 } ] }""", "malformed_answer")]
    [InlineData("""{ "items": [ { "index": 1, "status": 200 }, { "index": 2, "status": 200 } ] }""", "malformed_answer")]
    [InlineData("""{ "items": [ { "index": -1, "status": 200 } ] }""", "malformed_answer")]
    [InlineData("""{ "items": [ { "index": "0", "status": 200 } ] }""", "malformed_answer")]
    [InlineData("""{ "items": {} }""", "malformed_answer")]
    [InlineData("[]", "malformed_answer")]
    [InlineData("<html>", "malformed_answer")]
    [InlineData("", "malformed_answer")]
    [InlineData("""{ "items": [] }""", "not_answered")]
    [InlineData("""{ "items": [ { "index": 0, "status": "fine" }, { "index": 1, "status": 42 } ] }""", "malformed_answer")]
    public async Task An_answer_that_is_not_the_contract_s_is_never_taken_for_success(string body, string code)
    {
        endpoint.Instead = async (_, context) =>
        {
            await context.Response.WriteAsync(body);
            return true;
        };
        scene.Options.Retry.Rounds = 2;
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(2)));

        Assert.Equal((0, 2), (run.Counts.Succeeded, run.Counts.Failed));
        Assert.All(await scene.FailuresAsync(run.RunId), line =>
            Assert.Equal(("transient", code), ((string?)line["class"], (string?)line["code"])));
    }

    [Fact]
    public async Task What_an_answer_leaves_out_is_sent_again_under_another_key()
    {
        endpoint.Instead = async (call, context) =>
        {
            if (call.Items.Count < 5)
                return false;
            await context.Response.WriteAsync(
                """{ "items": [ { "index": 4, "status": "succeeded" }, { "index": 0, "status": "failed", "class": "terminal" } ] }""");
            return true;
        };
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(5)));

        Assert.Equal((4, 1), (run.Counts.Succeeded, run.Counts.Failed));
        Assert.Equal(
            ["o0000002", "o0000003", "o0000004"], endpoint.Calls[$"{run.RunId}-1-2"].Items.Select(item => (string)item!["id"]!));
    }

    [Fact]
    public async Task An_endpoint_that_hangs_or_breaks_off_is_tried_again_with_the_same_key()
    {
        var times = 0;
        endpoint.Instead = async (_, context) =>
        {
            switch (Interlocked.Increment(ref times))
            {
                case 1:
                    await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                    return true;
                case 2:
                    context.Abort();
                    return true;
                default:
                    return false;
            }
        };
        scene.Options.Endpoint.Timeout = TimeSpan.FromSeconds(2);
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(10)));

        Assert.Equal(10, run.Counts.Succeeded);
        Assert.Single(endpoint.All.Select(call => call.IdempotencyKey).Distinct());
    }

    [Fact]
    public async Task The_key_and_the_headers_go_along()
    {
        string? authorization = null, header = null;
        endpoint.Instead = (_, context) =>
        {
            (authorization, header) = (context.Request.Headers.Authorization, context.Request.Headers["X-Tenant"]);
            return Task.FromResult(false);
        };
        scene.Options.Endpoint.KeyFile = scene.Write("key", "secret-0123456789\n");
        scene.Options.Endpoint.Headers["X-Tenant"] = "north";
        Assert.Equal("invalid_configuration", Assert.Throws<ImportException>(scene.Runner).Code); // others can read it
        File.SetUnixFileMode(scene.Options.Endpoint.KeyFile, UnixFileMode.UserRead);
        await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(1)));

        Assert.Equal(("Bearer secret-0123456789", "north"), (authorization, header));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_the_endpoint_says_each_record_ends_once(int seed)
    {
        const int records = 3000;
        int Roll(string id, int times) => new Random((int.Parse(id[1..]) * 31) + (seed * 1_000_003) + times).Next(100);
        endpoint.StatusOf = (id, times) => Roll(id, times) switch { < 70 => 200, < 85 => 503, < 95 => 422, _ => 429 };
        var random = new Random(seed);
        endpoint.Instead = (_, context) =>
        {
            int roll;
            lock (random)
                roll = random.Next(10);
            if (roll == 0)
                context.Response.StatusCode = 500;
            else if (roll == 1)
                context.Abort();
            return Task.FromResult(roll < 2);
        };
        scene.Options.BatchSize = 77;
        scene.Options.Retry.Rounds = 8;
        scene.Options.Retry.Tries = 10;
        var invalid = string.Concat(Enumerable.Range(0, 50).Select(i => $"o9{i:D6},not a number,\n"));
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(records) + invalid));

        Assert.Equal(records + 50, run.Counts.Records);
        Assert.Equal(50, run.Counts.Invalid);
        Assert.Equal(endpoint.Succeeded.Count, run.Counts.Succeeded);
        Assert.All(endpoint.Succeeded.Values, times => Assert.Equal(1, times));
        Assert.Empty(endpoint.BrokenKeys);
        var failed = await scene.FailuresAsync(run.RunId);
        Assert.Equal(run.Counts.Failed + run.Counts.Invalid, failed.Count);
        var lines = failed.Select(line => (long)line["line"]!).ToList();
        Assert.Equal(lines.Count, lines.Distinct().Count());
        var ids = failed.Where(line => (string?)line["class"] != "invalid").Select(line => (string)line["key"]!)
            .Concat(endpoint.Succeeded.Keys);
        Assert.Equal(Enumerable.Range(1, records).Select(i => $"o{i:D7}"), ids.Order(StringComparer.Ordinal));
    }
}
