using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>What a job does to its target, over all forms and atomicities, on a real service and database.</summary>
public sealed class Applying_items(JobService service) : IClassFixture<JobService>, IAsyncLifetime
{
    private const int Orders = JobService.Orders;
    private readonly JobScene scene = service.Scene;
    private readonly HttpClient http = service.Http;

    public Task InitializeAsync() => service.ResetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("item")]
    [InlineData("set")]
    [InlineData("chunk")]
    [InlineData("chunkset")]
    [InlineData("whole")]
    [InlineData("loose")]
    public async Task Every_item_is_applied_once_and_told(string operation)
    {
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, JobScene.Ndjson(Orders - 50)));

        Assert.Equal(
            (BulkJobStatus.Completed, 950, 950, 0, null), (job.Status, job.TotalItems, job.Succeeded, job.Failed, job.Failure));
        Assert.Equal($"0:50 1:950", await scene.TouchesAsync());
        var results = await JobScene.ResultsAsync(http, job);
        Assert.Equal(Enumerable.Range(0, 950).Select(i => ((long)i, $"ord_{i}", "succeeded")), results.Select(
            result => (result.Index, result.Key!, result.Status)));
    }

    [Theory]
    [InlineData("item")]
    [InlineData("set")]
    public async Task A_bad_item_fails_alone_with_its_reason(string operation)
    {
        var items = Enumerable.Range(0, 500).Select(i => (Id: $"ord_{i}", Status: "shipped")).ToArray();
        items[7].Status = "bad";
        items[250].Id = "missing";
        items[251].Status = "bad";
        var body = JobScene.Ndjson(items) + "this is not JSON\n{\"id\":\"ord_501\"}\n{\"id\":\"ord_502\",\"status\":{}}\n";

        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, body));

        Assert.Equal((BulkJobStatus.Completed, 503, 497, 6), (job.Status, job.TotalItems, job.Succeeded, job.Failed));
        var results = await JobScene.ResultsAsync(http, job);
        Assert.Equal(
            [(7, "ord_7", "terminal", "check_violation"), (250, "missing", "terminal", "not_found"),
                (251, "ord_251", "terminal", "check_violation"),
             (500, null, "terminal", "invalid"), (501, "ord_501", "terminal", "invalid"),
             (502, "ord_502", "terminal", "invalid")],
            results.Where(result => result.Status == "failed")
                .Select(result => ((int)result.Index, result.Key, result.Class!, result.Code!)));
        Assert.Equal(503, results.Count);
        Assert.Equal("0:503 1:497", await scene.TouchesAsync());
        Assert.Contains("orders_status_check", results[7].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("chunk")]
    [InlineData("chunkset")]
    public async Task Atomic_by_chunk_a_bad_item_fails_its_chunk_and_no_other(string operation)
    {
        var items = Enumerable.Range(0, 300).Select(i => (Id: $"ord_{i}", Status: "shipped")).ToArray();
        items[150].Status = "bad";
        items[160].Id = "missing";

        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, JobScene.Ndjson(items)));

        Assert.Equal((BulkJobStatus.Completed, 200, 100), (job.Status, job.Succeeded, job.Failed));
        Assert.Equal("0:800 1:200", await scene.TouchesAsync());
        var failed = (await JobScene.ResultsAsync(http, job)).Where(result => result.Status == "failed").ToList();
        Assert.Equal(Enumerable.Range(100, 100).Select(i => (long)i), failed.Select(result => result.Index));
        Assert.Equal("check_violation", failed[50].Code);
        Assert.Equal("not_found", failed[60].Code);
        Assert.All(failed.Where((_, i) => i is not (50 or 60)), result => Assert.Equal("chunk_failed", result.Code));
    }

    [Fact]
    public async Task Atomic_by_job_a_bad_item_rolls_all_back()
    {
        var items = Enumerable.Range(0, 300).Select(i => (Id: $"ord_{i}", Status: "shipped")).ToArray();
        items[250].Status = "bad";

        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "whole", JobScene.Ndjson(items)));

        Assert.Equal((BulkJobStatus.Failed, "item_failed", 0, 1), (job.Status, job.Failure?.Code, job.Succeeded, job.Failed));
        Assert.Equal("0:1000", await scene.TouchesAsync());
        Assert.Contains("\"index\":250", await http.GetStringAsync(job.Links.Failures), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("item")]
    [InlineData("set")]
    public async Task Items_with_one_key_see_each_other_s_effects(string operation)
    {
        var body = JobScene.Ndjson([("ord_1", "a"), ("ord_2", "x"), ("ord_1", "b"), ("ord_1", "c")]);

        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, body));

        Assert.Equal((4, 0), (job.Succeeded, job.Failed));
        Assert.Equal("a;b;c;", await Scene.ScalarAsync<string>(scene.Target, "SELECT history FROM orders WHERE id = 'ord_1'"));
    }

    [Fact]
    public async Task Items_that_gave_way_are_tried_again_and_good_ones_never_twice()
    {
        await using var contended = await JobScene.CreateAsync();
        using var asking = (await contended.Scene.StartServiceAsync(
            ("ClaimCheck__BulkJobs__LockTimeout", "00:00:00.1"),
            ("ClaimCheck__BulkJobs__Rounds", "100"),
            ("ClaimCheck__BulkJobs__LongestDelay", "00:00:00.2"))).NewHttp();
        await using var blocker = new Npgsql.NpgsqlConnection(contended.Target);
        await blocker.OpenAsync();
        await using var locking = await blocker.BeginTransactionAsync();
        await using (var command = new Npgsql.NpgsqlCommand(
            "SELECT 1 FROM orders WHERE id IN ('ord_5', 'ord_150') FOR UPDATE", blocker))
            await command.ExecuteNonQueryAsync();
        var job = await JobScene.PostAsync(asking, "item", JobScene.Ndjson(200));
        await Eventually.TrueAsync(async () => await JobScene.GetAsync(asking, job) is { Failed: 2, Succeeded: 198 });
        await locking.RollbackAsync();

        var ended = await JobScene.EndedAsync(asking, job);
        Assert.Equal((BulkJobStatus.Completed, 200, 0), (ended.Status, ended.Succeeded, ended.Failed));
        Assert.Equal("0:800 1:200", await contended.TouchesAsync());
        Assert.All(await JobScene.ResultsAsync(asking, ended), result => Assert.Equal("succeeded", result.Status));
    }

    [Fact]
    public async Task A_retry_takes_the_failed_items_alone_under_their_own_indexes()
    {
        var items = Enumerable.Range(0, 300).Select(i => (Id: $"ord_{i}", Status: "shipped")).ToArray();
        items[3].Id = "late_3";
        items[299].Id = "late_299";
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "item", JobScene.Ndjson(items) + "junk\n"));
        Assert.Equal((298, 3), (job.Succeeded, job.Failed));
        await Scene.SqlAsync(scene.Target, "INSERT INTO orders VALUES ('late_3', 'new'), ('late_299', 'new')");

        using var asked = await http.PostAsync($"/v1/bulk-jobs/{job.JobId}/retries", null);
        Assert.Equal(202, (int)asked.StatusCode);
        var retry = await JobScene.EndedAsync(http, System.Text.Json.JsonSerializer.Deserialize<BulkJob>(
            await asked.Content.ReadAsStringAsync(), ClaimCheckJson.Options)!);

        Assert.Equal((job.JobId, 2, 2, 0), (retry.RetryOf, retry.TotalItems, retry.Succeeded, retry.Failed));
        Assert.Equal([(3L, "late_3"), (299L, "late_299")], (await JobScene.ResultsAsync(http, retry)).Select(
            result => (result.Index, result.Key!)));
        Assert.Equal("0:702 1:300", await scene.TouchesAsync());
        using var again = await http.PostAsync($"/v1/bulk-jobs/{retry.JobId}/retries", null);
        Assert.Equal(409, (int)again.StatusCode);
    }

    [Theory]
    [InlineData("item")]
    [InlineData("set")]
    public async Task What_only_some_items_run_into_is_their_own_and_what_all_do_is_the_target_s(string operation)
    {
        // Of some it is a right, a function that is not there, an assertion; of all it is the table.
        await Testing.Scene.SqlAsync(
            scene.Target,
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.id = 'ord_7' THEN RAISE SQLSTATE '42501'; END IF;
                IF NEW.id = 'ord_250' THEN PERFORM no_such_function(); END IF;
                ASSERT NEW.id <> 'ord_251';
                IF NEW.status = 'closed' THEN RAISE SQLSTATE '42501'; END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION refuse();
            """);
        try
        {
            var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, JobScene.Ndjson(300)));
            Assert.Equal((BulkJobStatus.Completed, 297, 3), (job.Status, job.Succeeded, job.Failed));
            Assert.Equal(
                [(7, "terminal", "refused"), (250, "terminal", "database_error"), (251, "terminal", "refused")],
                (await JobScene.ResultsAsync(http, job)).Where(result => result.Status == "failed")
                    .Select(result => ((int)result.Index, result.Class!, result.Code!)));

            var refused = await JobScene.EndedAsync(
                http, await JobScene.PostAsync(http, operation, JobScene.Ndjson(
                    [.. Enumerable.Range(300, 50).Select(i => (Id: $"ord_{i}", Status: "closed"))])));
            Assert.Equal(
                (BulkJobStatus.Failed, "operation_refused", 0), (refused.Status, refused.Failure?.Code, refused.Succeeded));
        }
        finally
        {
            await Testing.Scene.SqlAsync(scene.Target, "DROP TRIGGER refuse ON orders; DROP FUNCTION refuse()");
        }
    }

    [Fact]
    public async Task Whatever_is_bad_outcomes_add_up_and_good_items_are_applied_exactly_once()
    {
        var random = new Random(4711);
        foreach (var operation in (string[])["item", "set", "item", "set"])
        {
            await service.ResetAsync();
            var share = random.NextDouble() * 0.3;
            var kinds = Enumerable.Range(0, Orders).Select(_ => random.NextDouble() < share ? random.Next(1, 4) : 0).ToArray();
            var body = string.Concat(kinds.Select((kind, i) => kind switch
            {
                1 => $$"""{"id":"ord_{{i}}","status":"bad"}""",
                2 => $$"""{"id":"none_{{i}}","status":"x"}""",
                3 => """{"id":""",
                _ => $$"""{"id":"ord_{{i}}","status":"ok"}""",
            } + "\n"));

            var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, operation, body));

            var good = kinds.Count(kind => kind == 0);
            Assert.Equal((Orders, good, Orders - good), (job.TotalItems, job.Succeeded, job.Failed));
            var results = await JobScene.ResultsAsync(http, job);
            Assert.Equal(
                kinds.Select(kind => kind switch { 1 => "check_violation", 2 => "not_found", 3 => "invalid", _ => null }),
                results.Select(result => result.Code));
            Assert.Equal($"0:{Orders - good} 1:{good}", await scene.TouchesAsync());
        }
    }
}
