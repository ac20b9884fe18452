using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.BulkJobs;
using ClaimCheck.Service.BulkJobs.Targets;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>Failures are tried again, automatically and on request: each item once, however often that is requested.</summary>
public sealed class Retries_of_jobs(JobService service) : IClassFixture<JobService>, IAsyncLifetime
{
    private readonly JobScene scene = service.Scene;
    private readonly HttpClient http = service.Http;
    private readonly ApiClient api = service.Api;

    public Task InitializeAsync() => service.ResetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task What_a_retry_has_taken_no_second_one_takes()
    {
        var job = await JobScene.EndedAsync(
            http, await JobScene.PostAsync(http, "item", JobScene.Ndjson([("ord_1", "x"), ("late", "x"), ("ord_2", "bad")])));
        await Scene.SqlAsync(scene.Target, "INSERT INTO orders VALUES ('late', 'new')");
        var retry = await RetryAsync(job);
        Assert.Equal((2, 1, 1), (retry.TotalItems, retry.Succeeded, retry.Failed));

        var again = await AskAsync(job);

        again.IsProblem(409, "nothing_to_retry");
        Assert.Contains(retry.JobId.ToString(), again.Json.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(1, await Scene.ScalarAsync<int>(scene.Target, "SELECT touched FROM orders WHERE id = 'late'"));
        var third = await RetryAsync(retry);
        Assert.Equal((1, 0, 1), (third.TotalItems, third.Succeeded, third.Failed));
        (await AskAsync(retry, "?class=terminal")).IsProblem(409, "nothing_to_retry");
    }

    [Fact]
    public async Task Classes_are_taken_one_by_one()
    {
        await using var blocked = await JobScene.CreateAsync(10);
        using var asking = (await blocked.Scene.StartServiceAsync(
            ("ClaimCheck__BulkJobs__LockTimeout", "00:00:00.1"), ("ClaimCheck__BulkJobs__Rounds", "0"))).NewHttp();
        BulkJob job;
        await using (await RowsHeldAsync(blocked, "'ord_5'"))
            job = await JobScene.EndedAsync(asking, await JobScene.PostAsync(
                asking, "item", JobScene.Ndjson([("ord_1", "x"), ("ord_5", "x"), ("none", "x")])));
        Assert.Equal((1, 2), (job.Succeeded, job.Failed));
        var client = new ApiClient(asking);

        var transient = await RetryAsync(asking, client, job, "?class=transient");
        Assert.Equal((1, 1), (transient.TotalItems, transient.Succeeded));
        (await client.SendAsync("POST", $"/v1/bulk-jobs/{job.JobId}/retries?class=transient")).IsProblem(409, "nothing_to_retry");

        var rest = await RetryAsync(asking, client, job);
        Assert.Equal((1, 0, 1), (rest.TotalItems, rest.Succeeded, rest.Failed));
        (await client.SendAsync("POST", $"/v1/bulk-jobs/{job.JobId}/retries")).IsProblem(409, "nothing_to_retry");
        Assert.Equal("0:8 1:2", await blocked.TouchesAsync());
    }

    [Fact]
    public async Task A_retry_that_was_cancelled_is_gone_on_with_by_the_next()
    {
        var items = Enumerable.Range(0, 600).Select(i => ($"ord_{i}", "shipped"));
        await Scene.SqlAsync(scene.Target, "UPDATE orders SET id = 'x' || id");
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "gated", JobScene.Ndjson(items)));
        Assert.Equal((0, 600), (job.Succeeded, job.Failed));
        await Scene.SqlAsync(scene.Target, "ALTER TABLE orders DISABLE TRIGGER touched; UPDATE orders SET id = substr(id, 2), "
            + "touched = 0; ALTER TABLE orders ENABLE TRIGGER touched");

        JobId first;
        Task<Answer> cancelling;
        await using (await GateAsync())
        {
            first = JsonSerializer.Deserialize<BulkJob>((await AskAsync(job)).Json, ClaimCheckJson.Options)!.JobId;
            await WaitsAtTheGateAsync();
            Assert.Equal(first.ToString(), (await AskAsync(job)).Json.Text("jobId"));
            cancelling = api.SendAsync("DELETE", $"/v1/bulk-jobs/{first}");
            await Eventually.TrueAsync(async () => await Scene.ScalarAsync<bool>(
                // a heartbeat has told the worker
                scene.Scene.Catalog,
                $"SELECT lease_until - interval '15 seconds' > cancel_requested_at FROM bulk_jobs WHERE id = '{first.Value}'"));
        }

        var cancelled = (await cancelling).Json;
        Assert.Equal("cancelled", cancelled.Text("status"));
        var applied = cancelled.GetProperty("succeeded").GetInt64();
        Assert.InRange(applied, 400, 599);

        var second = await RetryAsync(job);

        Assert.Equal((600 - applied, 600 - applied, 0), (second.TotalItems, second.Succeeded, second.Failed));
        Assert.Equal(applied, (await JobScene.ResultsAsync(http, second))[0].Index);
        Assert.Equal("0:400 1:600", await scene.TouchesAsync());
    }

    [Fact]
    public async Task Of_a_job_that_ended_before_its_items_were_tried_it_is_said_which_to_send_anew()
    {
        await using var idle = await JobScene.CreateAsync(10);
        using var client = new ApiClient((await idle.Scene.StartServiceAsync(("ClaimCheck__Roles", "api"))).NewHttp());
        var job = (await client.PostAsync(
            "/v1/bulk-jobs",
            """{ "operation": "item", "items": [ { "id": "ord_1", "status": "x" }, { "id": "ord_2", "status": "x" } ] }""")).Json
            .Text("jobId");
        Assert.Equal("cancelled", (await client.SendAsync("DELETE", $"/v1/bulk-jobs/{job}")).Json.Text("status"));

        var refused = await client.SendAsync("POST", $"/v1/bulk-jobs/{job}/retries");

        refused.IsProblem(409, "nothing_to_retry");
        Assert.Contains("2 were not tried", refused.Json.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Atomic_as_a_whole_it_is_retried_as_a_whole()
    {
        var job = await JobScene.EndedAsync(
            http, await JobScene.PostAsync(http, "whole", JobScene.Ndjson([("ord_1", "x"), ("late", "x"), ("ord_2", "x")])));
        Assert.Equal((BulkJobStatus.Failed, 0), (job.Status, job.Succeeded));
        await Scene.SqlAsync(scene.Target, "INSERT INTO orders VALUES ('late', 'new')");

        var retry = await RetryAsync(job);

        Assert.Equal((BulkJobStatus.Completed, 3, 3), (retry.Status, retry.TotalItems, retry.Succeeded));
        Assert.Equal(3, await Scene.ScalarAsync<long>(scene.Target, "SELECT count(*) FROM orders WHERE touched = 1"));
        (await AskAsync(job)).IsProblem(409, "nothing_to_retry");
        var invalid = await JobScene.EndedAsync(
            http, await JobScene.PostAsync(http, "whole", JobScene.Ndjson([("ord_1", "x")]) + "junk\n"));
        (await AskAsync(invalid)).IsProblem(409, "nothing_to_retry");
    }

    [Fact]
    public async Task Cancelled_between_two_rounds_the_next_one_is_kept_from_any_worker()
    {
        await using var blocked = await JobScene.CreateAsync(200);
        using var asking = (await blocked.Scene.StartServiceAsync(
            ("ClaimCheck__BulkJobs__LockTimeout", "00:00:00.1"), ("ClaimCheck__BulkJobs__Rounds", "100"))).NewHttp();
        await using var rows = await RowsHeldAsync(blocked, "'ord_5', 'ord_150'");
        var job = await JobScene.PostAsync(asking, "item", JobScene.Ndjson(200));
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<bool>(
            blocked.Scene.Catalog, "SELECT count(*) = 2 AND min(round) > 0 FROM bulk_job_failures"));
        (await asking.DeleteAsync($"/v1/bulk-jobs/{job.JobId}")).Dispose();
        var ended = await JobScene.EndedAsync(asking, job);
        Assert.Equal((BulkJobStatus.Cancelled, 198, 2), (ended.Status, ended.Succeeded, ended.Failed));
        await rows.DisposeAsync();

        // As a worker does that was paused since before the end.
        var definition = await Scene.ScalarAsync<string>(blocked.Scene.Catalog, "SELECT definition::text FROM bulk_jobs");
        var lease = new JobLease(
            job.JobId.Value, Guid.NewGuid(), definition!, "staged", null, null, 0, null, null, null, null, null, RetryFrom: 0,
            null, NextChunk: 2, Processed: 200, Leases: 1, Tries: 0, IsCancelled: false, null, Lane: "");
        await using var source = NpgsqlDataSource.Create(blocked.Target);
        await using var late = await TargetSession.OpenAsync(source, lease, new(), CancellationToken.None);
        var round = await Scene.ScalarAsync<int>(blocked.Scene.Catalog, "SELECT max(round) + 1 FROM bulk_job_failures");
        var chunk = new JobChunk(
            round, 5, [new(5, "ord_5", ["ord_5", "shipped"], null), new(150, "ord_150", ["ord_150", "shipped"], null)]);

        Assert.Null(await late.ApplyAsync(chunk, isStrict: false, isNoted: true, CancellationToken.None));
        await Assert.ThrowsAsync<JobFailedException>(() => late.FindAsync(round, 5, CancellationToken.None));
        Assert.Equal("0:2 1:198", await blocked.TouchesAsync());
    }

    private Task<Answer> AskAsync(BulkJob job, string query = "") =>
        api.SendAsync("POST", $"/v1/bulk-jobs/{job.JobId}/retries{query}");

    private Task<BulkJob> RetryAsync(BulkJob job) => RetryAsync(http, api, job);

    private static async Task<BulkJob> RetryAsync(HttpClient asking, ApiClient client, BulkJob job, string query = "")
    {
        var asked = await client.SendAsync("POST", $"/v1/bulk-jobs/{job.JobId}/retries{query}");
        Assert.Equal(202, asked.Status);
        var retry = await JobScene.EndedAsync(asking, JsonSerializer.Deserialize<BulkJob>(asked.Json, ClaimCheckJson.Options)!);
        Assert.Equal(job.JobId, retry.RetryOf);
        return retry;
    }

    private static async Task<NpgsqlConnection> RowsHeldAsync(JobScene at, string ids)
    {
        var holder = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(at.Target) { Pooling = false }.ConnectionString);
        await holder.OpenAsync();
#pragma warning disable CA2100 // The test's own text.
        await using var command = new NpgsqlCommand($"BEGIN; SELECT 1 FROM orders WHERE id IN ({ids}) FOR UPDATE", holder);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        return holder;
    }

    private async Task<NpgsqlConnection> GateAsync()
    {
        var holder = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(scene.Target) { Pooling = false }.ConnectionString);
        await holder.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(4711)", holder);
        await command.ExecuteNonQueryAsync();
        return holder;
    }

    private Task WaitsAtTheGateAsync() => Eventually.TrueAsync(async () => await Scene.ScalarAsync<bool>(
        scene.Target,
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query "
        + "LIKE '%claimcheck_%' AND pid <> pg_backend_pid())"));
}
