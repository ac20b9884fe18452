using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.BulkJobs;

/// <summary>A worker is killed at each point of a job, or stands still past its lease: every item takes effect once, and the
/// job ends once.</summary>
public sealed class A_worker_dies_over_a_job
{
    private const int Orders = 2000;
    private const string Tail =
        "AND CASE WHEN id = 'ord_550' THEN pg_advisory_xact_lock_shared(4711)::text IS NOT NULL ELSE true END";

    [Theory]
    [InlineData("item")]
    [InlineData("set")]
    public async Task Killed_before_the_target_s_commit_its_chunk_is_applied_by_the_next(string form)
    {
        await using var scene = await NewSceneAsync(form);
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var (first, job) = await StartAsync(scene);
        await Hold.IsMetAsync(scene.Target, "claimcheck_apply");
        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();

        await first.KillAsync();
        await gate.ReleaseAsync();

        await AssertOnceAsync(scene, http, job);
    }

    [Theory]
    [InlineData("item")]
    [InlineData("set")]
    public async Task Killed_between_the_target_s_commit_and_the_catalog_s_its_chunk_is_not_applied_again(string form)
    {
        await using var scene = await NewSceneAsync(form);
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var (first, job) = await StartAsync(scene);
        await Hold.IsMetAsync(scene.Target, "claimcheck_apply");
        // The catalog accepts no progress, while the target continues.
        await using var catalog = await Hold.TakeAsync(scene.Scene.Catalog, "SELECT 1 FROM bulk_jobs FOR UPDATE");
        await gate.ReleaseAsync();
        await Hold.IsMetAsync(scene.Scene.Catalog, "SET next_chunk");
        var known = await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT processed FROM bulk_jobs");
        var applied = await Scene.ScalarAsync<long>(scene.Target, "SELECT count(*) FROM orders WHERE touched > 0");
        Assert.True(applied > known, $"{applied} {known}");

        await first.KillAsync();
        await catalog.ReleaseAsync();

        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();
        await AssertOnceAsync(scene, http, job);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_before_the_end_is_committed_the_job_ends_once_with_one_file_of_results(bool onS3)
    {
        await using var scene = await NewSceneAsync("item", onS3);
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var (first, job) = await StartAsync(scene);
        await using var end = await Hold.TakeAsync(scene.Scene.Catalog, "LOCK TABLE outbox IN SHARE MODE");
        await gate.ReleaseAsync();
        await Hold.IsMetAsync(scene.Scene.Catalog, "INSERT INTO outbox");

        await first.KillAsync();
        await end.ReleaseAsync();

        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();
        await AssertOnceAsync(scene, http, job);
        if (!onS3)
        {
            await Eventually.TrueAsync(() => Task.FromResult(Directory.GetFiles(
                Path.Combine(scene.Scene.Staging, "jobs", job.JobId.ToString()),
                "results.ndjson",
                SearchOption.AllDirectories).Length == 1));
        }
    }

    [Fact]
    public async Task A_worker_that_stood_still_past_its_lease_changes_nothing_more()
    {
        await using var scene = await NewSceneAsync("item");
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var (first, job) = await StartAsync(scene);
        await Hold.IsMetAsync(scene.Target, "claimcheck_apply");
        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();

        first.Pause();
        await gate.ReleaseAsync();
        var ended = await JobScene.EndedAsync(http, job);
        first.Resume();

        Assert.Equal(BulkJobStatus.Completed, ended.Status);
        await Eventually.TrueAsync(
            () => Task.FromResult(first.Log.Contains("This worker has lost the lease", StringComparison.Ordinal)));
        await AssertOnceAsync(scene, http, job);
    }

    [Fact]
    public async Task Told_to_stop_it_hands_the_job_on_between_two_chunks()
    {
        await using var scene = await NewSceneAsync("item");
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var (first, job) = await StartAsync(scene);
        await Hold.IsMetAsync(scene.Target, "claimcheck_apply");
        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();

        first.RequestStop();
        await gate.ReleaseAsync();
        Assert.Equal(0, await first.StopAsync());

        await AssertOnceAsync(scene, http, job);
        Assert.Equal(0, await Scene.ScalarAsync<int>(scene.Scene.Catalog, "SELECT tries FROM bulk_jobs"));
    }

    [Fact]
    public async Task However_many_workers_die_each_item_takes_effect_once_and_all_outcomes_add_up()
    {
        await using var scene = await NewSceneAsync("item");
        scene.AddOperation("gated", "item", "UPDATE orders SET status = :status WHERE id = :id AND pg_sleep(0.001) IS NOT NULL",
            """, "chunk": 50 """);
        var items = Enumerable.Range(0, Orders)
            .Select(i => (Id: i % 97 == 5 ? $"none_{i}" : $"ord_{i}", Status: i % 101 == 7 ? "bad" : "shipped")).ToArray();
        var bad = items.Count(item => item.Status == "bad" || item.Id[0] == 'n');
        var random = new Random(42);
        BulkJob? job = null;
        var service = await scene.Scene.StartServiceAsync();
        for (var death = 0; death < 4; death++)
        {
            using (var asking = service.NewHttp())
                job ??= await JobScene.PostAsync(asking, "gated", JobScene.Ndjson(items));
            var before = await Scene.ScalarAsync<long>(scene.Target, "SELECT count(*) FROM claimcheck.applied_chunks");
            var further = before + random.Next(1, 6);
            await Eventually.TrueAsync(
                async () =>
                    await Scene.ScalarAsync<long>(scene.Target, "SELECT count(*) FROM claimcheck.applied_chunks") >= further,
                TimeSpan.FromMinutes(3));
            await service.KillAsync();
            service = await scene.Scene.StartServiceAsync();
        }

        using var http = service.NewHttp();
        var ended = await JobScene.EndedAsync(http, job!);
        Assert.Equal((BulkJobStatus.Completed, Orders - bad, bad), (ended.Status, ended.Succeeded, ended.Failed));
        Assert.Equal($"0:{bad} 1:{Orders - bad}", await scene.TouchesAsync());
        var results = await JobScene.ResultsAsync(http, ended);
        Assert.Equal(
            items.Select(item => item.Id[0] == 'n' ? "not_found" : item.Status == "bad" ? "check_violation" : null),
            results.Select(result => result.Code));
    }

    private static async Task<JobScene> NewSceneAsync(string form, bool onS3 = false)
    {
        var scene = await JobScene.CreateAsync(Orders, chunk: 100, onS3);
        scene.AddOperation(
            "gated",
            form,
            form == "item"
                ? $"UPDATE orders SET status = :status WHERE id = :id {Tail}"
                : "UPDATE orders o SET status = i.status FROM items i WHERE o.id = i.id "
                    + $"{Tail.Replace("id =", "o.id =", StringComparison.Ordinal)} RETURNING i.ordinal",
            """, "chunk": 100 """);
        scene.Scene.Settings["ClaimCheck__BulkJobs__Lease"] = "00:00:03";
        scene.Scene.Settings["ClaimCheck__BulkJobs__LockTimeout"] = "00:01:00";
        return scene;
    }

    private static async Task<(ServiceProcess Service, BulkJob Job)> StartAsync(JobScene scene)
    {
        var service = await scene.Scene.StartServiceAsync();
        using var http = service.NewHttp();
        return (service, await JobScene.PostAsync(http, "gated", JobScene.Ndjson(Orders)));
    }

    private static async Task AssertOnceAsync(JobScene scene, HttpClient http, BulkJob job)
    {
        var ended = await JobScene.EndedAsync(http, job);
        Assert.True(ended.Status == BulkJobStatus.Completed, $"{ended.Status} {ended.Failure}");
        Assert.Equal((Orders, Orders, 0), (ended.TotalItems, ended.Succeeded, ended.Failed));
        Assert.Equal($"1:{Orders}", await scene.TouchesAsync());
        Assert.Equal(
            Enumerable.Range(0, Orders).Select(i => (long)i),
            (await JobScene.ResultsAsync(http, ended)).Select(result => result.Index));
        Assert.Equal(
            1, await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT count(*) FROM outbox WHERE type = 'JobCompleted'"));
    }
}
