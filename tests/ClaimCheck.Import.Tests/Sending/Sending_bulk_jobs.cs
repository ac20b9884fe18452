using System.Text.Json.Nodes;
using ClaimCheck.Testing;

namespace ClaimCheck.Import.Tests.Sending;

/// <summary>Batches become ClaimCheck's own bulk jobs; a job that was posted is not posted again.</summary>
public sealed class Sending_bulk_jobs : IAsyncLifetime
{
    private JobService service = null!;
    private ImportScene scene = null!;

    public async Task InitializeAsync()
    {
        service = await JobService.StartAsync();
        scene = ImportScene.For(service.Address);
        scene.Options.Endpoint.Contract = "bulk-jobs";
        scene.Options.Endpoint.Operation = "update_orders";
        scene.Options.Endpoint.JobPoll = TimeSpan.FromMilliseconds(10);
    }

    public async Task DisposeAsync()
    {
        await service.DisposeAsync();
        await scene.DisposeAsync();
    }

    [Fact]
    public async Task Each_item_s_outcome_is_its_record_s()
    {
        var asked = 0;
        service.OutcomeOf = item => (string)item["id"]! switch
        {
            "o0000002" =>
                new() { ["status"] = "failed", ["class"] = "terminal", ["code"] = "not_found", ["message"] = "No row." },
            "o0000003" when Interlocked.Increment(ref asked) == 1 =>
                new() { ["status"] = "failed", ["class"] = "transient", ["code"] = "deadlock" },
            _ => new() { ["status"] = "succeeded" },
        };
        scene.Options.Endpoint.Key = "a-key-of-the-service";
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(250)));

        Assert.Equal((249, 1), (run.Counts.Succeeded, run.Counts.Failed));
        Assert.Equal("not_found", (string?)Assert.Single(await scene.FailuresAsync(run.RunId))["code"]);
        Assert.Equal(
            [$"{run.RunId}-1", $"{run.RunId}-1-2", $"{run.RunId}-2", $"{run.RunId}-3"],
            service.Posts.Order(StringComparer.Ordinal));
        Assert.All(service.Authorizations, header => Assert.Equal("Bearer a-key-of-the-service", header));
    }

    [Fact]
    public async Task After_a_crash_a_job_is_asked_for_and_not_posted_again()
    {
        var isDone = false;
        service.StatusAt = _ => isDone ? "completed" : "running";
        var file = scene.Write("orders.csv", ImportScene.Csv(400));
        var config = scene.WriteConfig(service.Address);
        await using (var tool = ToolProcess.Start("import", "start", file, "--config", config))
        {
            await Eventually.TrueAsync(() => Task.FromResult(service.Looks.Count == 4));
            tool.Kill();
        }
        isDone = true;
        await using var next = ToolProcess.Start(
            "import", "resume", (await scene.Runs.ListAsync(1, default))[0].RunId, "--state", scene.State, "--json");
        var run = (await next.EndAsync()).Exits(0).Json;

        Assert.Equal(400, (int)run["counts"]!["succeeded"]!);
        Assert.Equal(4, service.Posts.Count);
    }

    [Fact]
    public async Task A_job_that_takes_longer_than_one_round_is_asked_for_in_the_next()
    {
        service.StatusAt = looks => looks < 200 ? "running" : "completed";
        scene.Options.Endpoint.JobTimeout = TimeSpan.FromSeconds(1);
        scene.Options.Endpoint.JobPoll = TimeSpan.FromMilliseconds(20);
        service.Refuse = context =>
        {
            // No Retry-After from here: the pause is the setting's.
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.Remove("Retry-After");
                return Task.CompletedTask;
            });
            return false;
        };
        scene.Options.Retry.Rounds = 50;
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(10)));
        Assert.Equal(10, run.Counts.Succeeded);
        Assert.Single(service.Posts);
    }

    [Theory]
    [InlineData(true, "transient")]
    [InlineData(false, "terminal")]
    public async Task A_job_that_failed_as_a_whole_says_whether_trying_again_may_help(bool isTransient, string failureClass)
    {
        service.StatusAt = _ => "failed";
        service.Failure = new JsonObject { ["code"] = "target_away", ["detail"] = "…", ["transient"] = isTransient };
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(10)));

        Assert.Equal(10, run.Counts.Failed);
        Assert.All(await scene.FailuresAsync(run.RunId), line =>
            Assert.Equal((failureClass, "target_away"), ((string?)line["class"], (string?)line["code"])));
        Assert.Equal(isTransient ? scene.Options.Retry.Rounds : 1, service.Posts.Count);
    }

    [Fact]
    public async Task An_envelope_that_is_refused_is_told_by_the_problem_s_code()
    {
        scene.Options.Endpoint.Operation = "no_such";
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(1)));
        Assert.Equal("validation_failed", (string?)Assert.Single(await scene.FailuresAsync(run.RunId))["code"]);
    }

    [Fact]
    public async Task Outages_at_any_step_are_waited_out()
    {
        var calls = 0;
        service.Refuse = context =>
        {
            if (Interlocked.Increment(ref calls) % 3 != 0)
                context.Response.StatusCode = 503;
            return context.Response.StatusCode == 503;
        };
        scene.Options.Retry.Rounds = 100;
        var run = await scene.ImportAsync(scene.Write("orders.csv", ImportScene.Csv(300)));
        Assert.Equal(300, run.Counts.Succeeded);
        Assert.Equal(3, service.Bodies.Count);
    }
}
