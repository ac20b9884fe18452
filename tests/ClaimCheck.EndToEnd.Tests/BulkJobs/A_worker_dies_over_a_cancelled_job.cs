using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.BulkJobs;

/// <summary>However a worker dies over a job that is cancelled or given up, what the job says was applied is
/// what was applied.</summary>
public sealed class A_worker_dies_over_a_cancelled_job
{
    private const int Orders = 1000;

    [Fact]
    public async Task Killed_between_the_fence_and_the_end_the_job_is_cancelled_by_the_next()
    {
        await using var scene = await NewSceneAsync();
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var first = await scene.Scene.StartServiceAsync();
        using var asking = first.NewHttp();
        var job = await JobScene.PostAsync(asking, "gated", JobScene.Ndjson(Orders));
        await Hold.IsMetAsync(scene.Target, "claimcheck_apply");
        await using var end = await Hold.TakeAsync(scene.Scene.Catalog, "LOCK TABLE outbox IN SHARE MODE");
        var cancelling = asking.DeleteAsync($"/v1/bulk-jobs/{job.JobId}");
        await HearsOfItAsync(scene);
        await gate.ReleaseAsync();
        await Hold.IsMetAsync(scene.Scene.Catalog, "INSERT INTO outbox");

        await first.KillAsync();
        await end.ReleaseAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => cancelling);

        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();
        await AssertToldAsync(scene, http, job, BulkJobStatus.Cancelled);
    }

    [Fact]
    public async Task What_a_dead_worker_s_statement_still_does_is_waited_for_and_counted()
    {
        await using var scene = await NewSceneAsync();
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var first = await scene.Scene.StartServiceAsync();
        BulkJob job;
        using (var asking = first.NewHttp())
            job = await JobScene.PostAsync(asking, "gated", JobScene.Ndjson(Orders));
        await Hold.IsMetAsync(scene.Target, "claimcheck_apply");
        await first.KillAsync(); // its statement continues, in the target
        await Scene.SqlAsync(scene.Scene.Catalog, "UPDATE bulk_jobs SET cancel_requested_at = now()");
        // One that has less patience with locks.
        using var http = (await scene.Scene.StartServiceAsync(("ClaimCheck__BulkJobs__LockTimeout", "00:00:00.1"))).NewHttp();
        await Hold.IsMetAsync(scene.Target, "applied_chunks AS known");

        await gate.ReleaseAsync();

        var ended = await AssertToldAsync(scene, http, job, BulkJobStatus.Cancelled);
        Assert.Equal(600, ended.Succeeded);
    }

    [Fact]
    public async Task Given_up_after_too_many_workers_it_says_what_they_have_applied()
    {
        await using var scene = await NewSceneAsync();
        scene.Scene.Settings["ClaimCheck__BulkJobs__Leases"] = "1";
        await using var gate = await Hold.TakeAsync(scene.Target, Hold.Gate);
        var first = await scene.Scene.StartServiceAsync();
        BulkJob job;
        using (var asking = first.NewHttp())
            job = await JobScene.PostAsync(asking, "gated", JobScene.Ndjson(Orders));
        await Hold.IsMetAsync(scene.Target, "claimcheck_apply");
        // Nothing of it is written down, and each worker seems to have got it no further.
        await Scene.SqlAsync(
            scene.Scene.Catalog, "UPDATE bulk_jobs SET next_chunk = 0, processed = 0, succeeded = 0, leases = 1");
        await first.KillAsync();
        await gate.ReleaseAsync();

        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();
        var ended = await AssertToldAsync(scene, http, job, BulkJobStatus.Failed);

        Assert.Equal(("worker_lost", 600), (ended.Failure!.Code, ended.Succeeded));
    }

    private static async Task<JobScene> NewSceneAsync()
    {
        var scene = await JobScene.CreateAsync(Orders, chunk: 100);
        // The target's setting lets a statement continue without its client; otherwise the statement of a dead
        // worker would end in seconds.
        await Scene.SqlAsync(
            scene.Target,
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_connection_check_interval = %L', "
            + "current_database(), '10min'); END $$");
        scene.AddOperation(
            "gated",
            "item",
            "UPDATE orders SET status = :status WHERE id = :id AND CASE WHEN id = 'ord_550' THEN "
            + "pg_advisory_xact_lock_shared(4711)::text IS NOT NULL ELSE true END",
            """, "chunk": 100 """);
        scene.Scene.Settings["ClaimCheck__BulkJobs__Lease"] = "00:00:03";
        scene.Scene.Settings["ClaimCheck__BulkJobs__LockTimeout"] = "00:05:00";
        return scene;
    }

    // A heartbeat tells the worker.
    private static Task HearsOfItAsync(JobScene scene) => Eventually.TrueAsync(async () =>
        await Scene.ScalarAsync<bool>(
            scene.Scene.Catalog, "SELECT lease_until - interval '3 seconds' > cancel_requested_at FROM bulk_jobs"));

    private static async Task<BulkJob> AssertToldAsync(JobScene scene, HttpClient http, BulkJob job, string status)
    {
        var ended = await JobScene.EndedAsync(http, job);
        Assert.True(ended.Status == status, $"{ended.Status} {ended.Failure}");
        Assert.Equal($"0:{Orders - ended.Succeeded} 1:{ended.Succeeded}", await scene.TouchesAsync());
        Assert.Equal(
            Enumerable.Range(0, (int)ended.Succeeded).Select(i => (long)i),
            (await JobScene.ResultsAsync(http, ended)).Select(result => result.Index));
        Assert.Equal(
            1, await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT count(*) FROM outbox WHERE type = 'JobCompleted'"));
        return ended;
    }
}
