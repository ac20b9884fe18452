using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>The job resource, as any HTTP client meets it.</summary>
public sealed class Asking_for_jobs(JobService service) : IClassFixture<JobService>, IAsyncLifetime
{
    private readonly JobScene scene = service.Scene;
    private readonly HttpClient http = service.Http;
    private readonly ApiClient api = service.Api;

    public Task InitializeAsync() => service.ResetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Two_items_are_posted_followed_and_completed_with_plain_HTTP()
    {
        var asked = await api.PostAsync(
            "/v1/bulk-jobs",
            """{ "operation": "item", "items": [ { "id": "ord_123", "status": "shipped" }, { "id": "ord_124", "status": "shipped" } ] }""",
            ("Prefer", "respond-async"));
        Assert.Equal(202, asked.Status);
        Assert.True(int.Parse(asked.Header("Retry-After")!, CultureInfo.InvariantCulture) > 0);
        var location = asked.Header("Location")!;
        Assert.Equal("/v1/bulk-jobs/" + asked.Json.Text("jobId"), location);

        var job = await Eventually.NotNullAsync(
            async () => await api.GetAsync(location) is var answer && answer.Json.Text("status") == "completed" ? answer : null);

        Assert.Equal(
            ["jobId", "operation", "status", "totalItems", "succeeded", "failed", "progress", "createdAt", "startedAt",
                "completedAt", "expiresAt", "retryOf", "failure", "resultUrl", "links"],
            job.Json.Names());
        Assert.Equal((2, 2, 0), (job.Json.GetProperty("totalItems").GetInt32(), job.Json.GetProperty("succeeded").GetInt32(),
            job.Json.GetProperty("failed").GetInt32()));
        Assert.Equal(
            """{"index":0,"key":"ord_123","status":"succeeded"}""" + "\n"
            + """{"index":1,"key":"ord_124","status":"succeeded"}""" + "\n",
            await http.GetStringAsync(job.Json.Text("resultUrl")));
        Assert.Equal("shipped", await Scene.ScalarAsync<string>(scene.Target, "SELECT status FROM orders WHERE id = 'ord_124'"));
        await ResultsAreHandedOutAsync(location + "/results", await http.GetStringAsync(job.Json.Text("resultUrl")));
    }

    // By a link for the method that was asked with; to who sends a key, which a redirect might carry on, themselves.
    private async Task ResultsAreHandedOutAsync(string path, string expected)
    {
        var head = await api.SendAsync("HEAD", path);
        Assert.Equal((307, 307), ((await api.GetAsync(path)).Status, head.Status));
        Assert.Equal(200, (await api.SendAsync("HEAD", head.Header("Location")!)).Status);
        var whole = await api.GetAsync(path, ("Authorization", "Bearer any"));
        Assert.Equal((200, expected, "application/x-ndjson"), (whole.Status, whole.Text, whole.Header("Content-Type")));
        var part = await api.GetAsync(
            path, ("Authorization", "Bearer any"), ("Range", "bytes=1-3"), ("If-Range", whole.Header("ETag")!));
        Assert.Equal((206, expected[1..4]), (part.Status, part.Text));
    }

    [Fact]
    public async Task Prefer_wait_waits_for_the_end()
    {
        var asked = await api.PostAsync("/v1/bulk-jobs",
            """{ "operation": "set", "items": [ { "id": "ord_1", "status": "x" } ] }""", ("Prefer", "respond-async, wait=60"));
        Assert.Equal(
            (200, "wait=60", "completed"), (asked.Status, asked.Header("Preference-Applied"), asked.Json.Text("status")));
    }

    [Fact]
    public async Task CSV_is_read_as_exports_write_it()
    {
        var csv = "\uFEFFstatus,id\r\n\"a \"\"quoted\"\", \nline\",ord_1\r\n\"\",ord_2\r\n,ord_3\r\n\r\nx,ord_4,more\r\n"
            + "x\"y,ord_5\r\nplain,ord_6";
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "item", csv, "text/csv"));

        Assert.Equal((6, 3, 3), (job.TotalItems, job.Succeeded, job.Failed));
        var results = await JobScene.ResultsAsync(http, job);
        Assert.Equal([null, null, "invalid", "invalid", "invalid", null], results.Select(result => result.Code));
        Assert.Equal("a \"quoted\", \nline", await Scene.ScalarAsync<string>(
            scene.Target, "SELECT status FROM orders WHERE id = 'ord_1'"));
        Assert.Equal("", await Scene.ScalarAsync<string>(scene.Target, "SELECT status FROM orders WHERE id = 'ord_2'"));
    }

    [Fact]
    public async Task NDJSON_is_read_as_editors_write_it()
    {
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
            http, "item", "\uFEFF{\"id\":\"ord_1\",\"status\":\"x\"}\r\n\r\n{\"id\":\"ord_2\",\"status\":\"\uFEFF\"}"));
        Assert.Equal((2, 2), (job.TotalItems, job.Succeeded));
        Assert.Equal(1, await Scene.ScalarAsync<int>(scene.Target, "SELECT length(status) FROM orders WHERE id = 'ord_2'"));
    }

    [Fact]
    public async Task Values_are_of_the_parameters_types_in_every_format()
    {
        var ndjson =
            """{"id":"ord_1","n":7,"flag":true,"at":"2026-01-01T01:00:00+01:00","tags":["a","b,\"c"],"doc":{"a":"x"},"day":"2026-02-03"}""";
        var csv = "id,n,flag,at,tags,doc,day\nord_2,7,t,2026-01-01 "
            + "00:00:00+00,\"{a,\"\"b,\\\"\"c\"\"}\",\"{\"\"a\"\":\"\"x\"\"}\",2026-02-03\n";
        Assert.Equal(1, (await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "typed", ndjson))).Succeeded);
        Assert.Equal(1, (await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "typed", csv, "text/csv"))).Succeeded);

        foreach (var id in (string[])["ord_1", "ord_2"])
            Assert.Equal("""7|t|2026-01-01 00:00:00+00|{a,"b,\"c"}|x|2026-02-03""", await Scene.ScalarAsync<string>(
                scene.Target, $"SELECT status FROM orders WHERE id = '{id}'"));

        string[] bad = ["\"n\":1.5", "\"n\":\"seven\"", "\"n\":99999999999", "\"flag\":\"maybe\"", "\"at\":\"tomorrow\"",
            "\"tags\":{}", "\"day\":20260203", "\"doc\":{\"a\":\"\\ud800\"}", "\"x\":1", "\"id\":\"ord_1\""];
        var job = await JobScene.EndedAsync(
            http, await JobScene.PostAsync(http, "typed", string.Concat(bad.Select(field => $"{{\"id\":\"ord_1\",{field}}}\n"))));
        Assert.Equal((0, bad.Length), (job.Succeeded, job.Failed));
        // Whether the service finds it or the target's server does.
        Assert.All(
            await JobScene.ResultsAsync(http, job), result => Assert.Equal(("invalid", "terminal"), (result.Code, result.Class)));

        string[] good = ["\"n\":\"7\"", "\"flag\":\"yes\"", "\"at\":\"2026-01-01T00:00:00.123456789Z\"",
            "\"at\":\"0044-03-15 00:00:00+00 BC\"", "\"tags\":[null]", "\"doc\":{\"a\":1,\"a\":2}"];
        var taken = await JobScene.EndedAsync(http, await JobScene.PostAsync(
            http, "typed", string.Concat(good.Select(field => $"{{\"id\":\"ord_1\",{field}}}\n"))));
        Assert.Equal((good.Length, 0), (taken.Succeeded, taken.Failed));
    }

    [Fact]
    public async Task Json_in_a_row_that_is_no_Unicode_is_that_item_s_own_fault()
    {
        const string csv =
            "id,doc\nord_1,\"{\"\"\\ud800\"\":1}\"\nord_2,\"{\"\"a\"\":\"\"\\udc00\"\"}\"\nord_3,\"{\"\"a\"\":1}\"\n";
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "typed", csv, "text/csv"));
        Assert.Equal(["invalid", "invalid", null], (await JobScene.ResultsAsync(http, job)).Select(result => result.Code));
    }

    [Fact]
    public async Task The_same_key_and_meaning_is_the_same_job()
    {
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => api.PostAsync(
            "/v1/bulk-jobs",
            $$"""{ "operation": "item", {{new string(' ', i)}} "items": [ { "status": "once", "id": "ord_9" } ] }""",
            key)));
        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 202, answer.Text));
        var id = Assert.Single(answers.Select(answer => answer.Json.Text("jobId")).Distinct());

        using var same = new StringContent("{\"id\":\"ord_9\",\"status\":\"once\"}\n", Encoding.UTF8, "application/x-ndjson");
        Assert.Equal(id, (await api.SendAsync("POST", "/v1/bulk-jobs?operation=item", same, key)).Json.Text("jobId"));
        using var other = new StringContent("{\"id\":\"ord_9\",\"status\":\"twice\"}\n", Encoding.UTF8, "application/x-ndjson");
        (await api.SendAsync("POST", "/v1/bulk-jobs?operation=item", other, key)).IsProblem(409, "idempotency_key_reused");
        await service.NothingStaysAsync();
    }

    [Fact]
    public async Task A_client_that_is_cut_off_leaves_nothing()
    {
        var before = await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT count(*) FROM bulk_jobs");
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(api.Address.Host, api.Address.Port);
            await using var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /v1/bulk-jobs?operation=item HTTP/1.1\r\nHost: {api.Address.Authority}\r\nContent-Type: "
                + "application/x-ndjson\r\nContent-Length: 90000000\r\n\r\n"));
            var lines = Encoding.ASCII.GetBytes(JobScene.Ndjson(20_000));
            await stream.WriteAsync(lines);
            await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(
                scene.Scene.Catalog, "SELECT count(*) FROM bulk_job_uploads WHERE object_key LIKE '%body%'") > 0);
        }

        await service.NothingStaysAsync();
        Assert.Equal(before, await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT count(*) FROM bulk_jobs"));
    }

    [Fact]
    public async Task Failures_are_paged_in_the_order_of_the_body()
    {
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
            http, "set", JobScene.Ndjson(Enumerable.Range(0, 25).Select(i => ($"none_{i}", "x")))));
        var seen = new List<long>();
        for (var path = $"/v1/bulk-jobs/{job.JobId}/failures?limit=10&class=terminal"; ;)
        {
            var page = await api.GetAsync(path);
            seen.AddRange(page.Items().Select(item => item.GetProperty("index").GetInt64()));
            if (page.NextCursor() is not { } cursor)
                break;
            path = $"/v1/bulk-jobs/{job.JobId}/failures?limit=10&class=terminal&cursor={cursor}";
        }

        Assert.Equal(Enumerable.Range(0, 25).Select(i => (long)i), seen);
        Assert.Empty((await api.GetAsync($"/v1/bulk-jobs/{job.JobId}/failures?class=transient")).Items());
        (await api.GetAsync($"/v1/bulk-jobs/{job.JobId}/failures?class=odd")).IsProblem(400, "invalid_parameter");
        (await api.GetAsync($"/v1/bulk-jobs/{JobId.New()}/failures")).IsProblem(404, "not_found");
        (await api.SendAsync("POST", $"/v1/bulk-jobs/{JobId.New()}/retries")).IsProblem(404, "not_found");
        (await api.GetAsync("/v1/bulk-jobs/nonsense")).IsProblem(404, "not_found");
        Assert.Contains((await api.GetAsync("/v1/bulk-jobs?status=completed&operation=set&limit=1")).Items(), item =>
            item.Text("jobId") == job.JobId.ToString());
        (await api.GetAsync("/v1/bulk-jobs?status=odd")).IsProblem(400, "invalid_parameter");
    }

    [Fact]
    public async Task Its_end_is_an_event()
    {
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "item", JobScene.Ndjson(3)));
        await Eventually.TrueAsync(async () => (await service.EventsAsync(job.JobId)).Count > 0);
        var told = Assert.Single(await service.EventsAsync(job.JobId));
        Assert.Equal(("claimcheck.job.completed.v1", $"/v1/bulk-jobs/{job.JobId}"), (told.Text("type"), told.Text("source")));
        var data = told.GetProperty("data");
        Assert.Equal(["jobId", "operation", "status", "totalItems", "succeeded", "failed", "failure"], data.Names());
        Assert.Equal(
            ("item", "completed", 3), (data.Text("operation"), data.Text("status"), data.GetProperty("succeeded").GetInt32()));
    }

    [Fact]
    public async Task Too_many_items_for_one_transaction_are_refused_at_once()
    {
        using var answer = await JobScene.TryPostAsync(http, "whole", JobScene.Ndjson(991));
        Assert.Equal(422, (int)answer.StatusCode);
        await service.NothingStaysAsync();
    }

    [Fact]
    public async Task Operations_say_what_they_take_and_the_script_what_a_target_needs()
    {
        var operations = (await api.GetAsync("/v1/operations")).Items();
        Assert.Contains(operations, operation => operation.Text("name") == "item");
        var typed = (await api.GetAsync("/v1/operations/typed")).Json;
        Assert.Equal(
            ["id"], typed.GetProperty("itemSchema").GetProperty("required").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(
            "array",
            typed.GetProperty("itemSchema").GetProperty("properties").GetProperty("tags").GetProperty("type")[0].GetString());
        var script = await api.GetAsync("/v1/operations/target.sql");
        Assert.Contains("claimcheck.applied_chunks", script.Text, StringComparison.Ordinal);
        await Scene.SqlAsync(scene.Target, script.Text); // may be repeated
        (await api.GetAsync("/v1/operations/nope")).IsProblem(404, "not_found");
    }
}
