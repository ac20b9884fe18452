using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>However large or bad a body is, what is held and kept of it has its limits.</summary>
public sealed class Limits_of_jobs(JobService service) : IClassFixture<JobService>, IAsyncLifetime
{
    private readonly JobScene scene = service.Scene;
    private readonly HttpClient http = service.Http;

    public Task InitializeAsync() => service.ResetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_job_of_which_too_many_items_fail_is_given_up()
    {
        await using var many = await JobScene.CreateAsync(1000);
        using var asking = (await many.Scene.StartServiceAsync(("ClaimCheck__BulkJobs__MaxFailures", "4000"))).NewHttp();
        var body = JobScene.Ndjson(
            Enumerable.Range(0, 20_000).Select(i => (i % 10 == 0 ? $"ord_{i / 10 % 1000}" : $"none_{i}", "x")));

        var job = await JobScene.EndedAsync(asking, await JobScene.PostAsync(asking, "item", body));

        Assert.Equal((BulkJobStatus.Failed, "too_many_failures"), (job.Status, job.Failure!.Code));
        Assert.InRange(job.Failed, 4001, 10_000);
        Assert.Equal(job.Failed, await Scene.ScalarAsync<long>(many.Scene.Catalog, "SELECT count(*) FROM bulk_job_failures"));
        Assert.Equal(job.Succeeded, await Scene.ScalarAsync<long>(many.Target, "SELECT sum(touched) FROM orders"));
        Assert.Equal(job.Succeeded + job.Failed, (await JobScene.ResultsAsync(asking, job)).Count);
        var enough = await JobScene.EndedAsync(asking, await JobScene.PostAsync(
            asking, "item", JobScene.Ndjson(Enumerable.Range(0, 4000).Select(i => ($"none_{i}", "x")))));
        Assert.Equal((BulkJobStatus.Completed, 4000), (enough.Status, enough.Failed));
    }

    [Fact]
    public async Task Large_items_are_applied_a_few_at_a_time_each_once()
    {
        var text = new string('x', 1_000_000);
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
            http, "item", JobScene.Ndjson(Enumerable.Range(0, 30).Select(i => ($"ord_{i}", text)))));

        Assert.Equal((BulkJobStatus.Completed, 30, 0), (job.Status, job.Succeeded, job.Failed));
        Assert.Equal($"0:{JobService.Orders - 30} 1:30", await scene.TouchesAsync());
        Assert.Equal(30, (await JobScene.ResultsAsync(http, job)).Count);
        Assert.InRange(await Scene.ScalarAsync<long>(
            scene.Target, $"SELECT count(*) FROM claimcheck.applied_chunks WHERE job_id = '{job.JobId.Value}'"), 3, 30);
    }

    [Theory]
    [InlineData("application/x-ndjson")]
    [InlineData("text/csv")]
    public async Task A_key_that_is_too_long_is_invalid_and_kept_nowhere(string type)
    {
        var key = new string('k', 1025);
        var body = type == "text/csv" ? $"id,status\n{key},x\nord_1,x\n" : JobScene.Ndjson([(key, "x"), ("ord_1", "x")]);
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "item", body, type));

        Assert.Equal((1, 1), (job.Succeeded, job.Failed));
        var failed = (await JobScene.ResultsAsync(http, job))[0];
        Assert.Equal(("invalid", null), (failed.Code, failed.Key));
    }
}
