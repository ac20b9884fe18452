using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>Cancelled, expired, refused by the target; and jobs over batches that are claimed.</summary>
public sealed class Ends_of_jobs(JobService service) : IClassFixture<JobService>, IAsyncLifetime
{
    private readonly JobScene scene = service.Scene;
    private readonly HttpClient http = service.Http;
    private readonly ApiClient api = service.Api;

    public Task InitializeAsync() => service.ResetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Cancelled_it_stops_between_chunks_and_says_what_was_applied()
    {
        await using var gate = await GateAsync();
        var job = await JobScene.PostAsync(http, "gated", JobScene.Ndjson(1000));
        await WaitsAtTheGateAsync();

        var cancelling = api.SendAsync("DELETE", $"/v1/bulk-jobs/{job.JobId}");
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<bool>(
            scene.Scene.Catalog, $"SELECT cancel_requested_at IS NOT NULL FROM bulk_jobs WHERE id = '{job.JobId.Value}'"));
        // A heartbeat tells the worker.
        var lease = await LeaseAsync();
        await Eventually.TrueAsync(async () => cancelling.IsCompleted || await LeaseAsync() > lease);
        await gate.DisposeAsync();

        var cancelled = await cancelling;
        Assert.Equal((200, "cancelled"), (cancelled.Status, cancelled.Json.Text("status")));
        var applied = cancelled.Json.GetProperty("succeeded").GetInt32();
        Assert.Equal($"0:{1000 - applied} 1:{applied}", await scene.TouchesAsync());
        Assert.Equal(0, applied % 100);
        Assert.InRange(applied, 400, 900);
        Assert.Equal(applied, (await JobScene.ResultsAsync(http, await JobScene.GetAsync(http, job))).Count);
        Assert.Equal("cancelled", (await api.SendAsync("DELETE", $"/v1/bulk-jobs/{job.JobId}")).Json.Text("status"));

        Task<DateTime> LeaseAsync() =>
            Scene.ScalarAsync<DateTime>(scene.Scene.Catalog, $"SELECT lease_until FROM bulk_jobs WHERE id = '{job.JobId.Value}'");
    }

    [Fact]
    public async Task Cancelled_before_it_began_it_applies_nothing()
    {
        await using var idle = await JobScene.CreateAsync(10);
        using var asking = (await idle.Scene.StartServiceAsync(("ClaimCheck__Roles", "api"))).NewHttp();
        var job = await JobScene.PostAsync(asking, "item", JobScene.Ndjson(10));
        using var answer = await asking.DeleteAsync($"/v1/bulk-jobs/{job.JobId}");
        Assert.Equal("cancelled", JsonElement.Parse(await answer.Content.ReadAsStringAsync()).Text("status"));
        Assert.Equal("JobCompleted", await Scene.ScalarAsync<string>(idle.Scene.Catalog, "SELECT type FROM outbox"));
    }

    [Fact]
    public async Task When_its_time_is_over_the_job_its_body_and_its_results_are_gone()
    {
        using var content = new StringContent(JobScene.Ndjson(10), System.Text.Encoding.UTF8, "application/x-ndjson");
        var asked = await api.SendAsync("POST", "/v1/bulk-jobs?operation=item&ttl=PT10S", content, ("Prefer", "wait=60"));
        Assert.Equal("completed", asked.Json.Text("status"));
        var (id, link) = (asked.Json.Text("jobId"), asked.Json.Text("resultUrl"));
        Assert.Equal(10, (await http.GetStringAsync(link)).Count(c => c == '\n'));

        await Eventually.TrueAsync(async () => (await api.GetAsync($"/v1/bulk-jobs/{id}")).Status == 404);
        Assert.NotEqual(200, (int)(await http.GetAsync(link)).StatusCode);
        await Eventually.TrueAsync(() => Task.FromResult(!Directory.Exists(Path.Combine(scene.Scene.Staging, "jobs", id!))));
    }

    [Fact]
    public async Task Without_the_table_for_exactly_once_a_job_says_what_to_do_and_the_loose_one_runs()
    {
        await using var bare = await JobScene.CreateAsync(10, hasNotes: false);
        using var asking = (await bare.Scene.StartServiceAsync()).NewHttp();
        var job = await JobScene.EndedAsync(asking, await JobScene.PostAsync(asking, "item", JobScene.Ndjson(10)));
        Assert.Equal((BulkJobStatus.Failed, "applied_chunks_missing"), (job.Status, job.Failure!.Code));
        Assert.Contains("target.sql", job.Failure.Detail, StringComparison.Ordinal);
        Assert.Equal(
            10, (await JobScene.EndedAsync(asking, await JobScene.PostAsync(asking, "loose", JobScene.Ndjson(10)))).Succeeded);
    }

    [Fact]
    public async Task A_target_that_lost_the_table_fails_the_job_and_not_each_item()
    {
        await Scene.SqlAsync(scene.Target, "ALTER TABLE copies RENAME TO gone");
        try
        {
            var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "copy", """{"id":1,"name":"x"}"""));
            Assert.Equal((BulkJobStatus.Failed, "operation_refused", 0), (job.Status, job.Failure!.Code, job.Failed));
        }
        finally
        {
            await Scene.SqlAsync(scene.Target, "ALTER TABLE gone RENAME TO copies");
        }
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task One_system_s_export_is_another_s_import(string format)
    {
        var claim = await ExportAsync(http, format);
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
            http, "copy", $$"""{ "operation": "copy", "claim": "{{claim}}" }""", "application/json"));

        Assert.True(job.Status == BulkJobStatus.Completed, $"{job.Failure}");
        Assert.Equal((100, 100, 0), (job.TotalItems, job.Succeeded, job.Failed));
        Assert.Equal(0, await Scene.ScalarAsync<long>(
            scene.Target, "SELECT count(*) FROM items i JOIN copies c USING (id) WHERE c.name IS DISTINCT FROM i.name"));
        Assert.Equal(100, (await JobScene.ResultsAsync(http, job)).Count);
    }

    [Fact]
    public async Task Another_service_s_batch_is_claimed_where_the_operator_allows_it_and_nowhere_else()
    {
        const string key = "a-key-of-another-service-that-is-long-enough";
        await using var other = await Scene.CreateAsync(50);
        other.Settings["ClaimCheck__AdminKey"] = key;
        var far = await other.StartServiceAsync();
        using var asking = far.NewHttp();
        asking.DefaultRequestHeaders.Authorization = new("Bearer", key);
        var claim = await ExportAsync(asking, "csv");
        using (var refused = await JobScene.TryPostAsync(
            http, "copy", $$"""{ "operation": "copy", "claim": "{{claim}}" }""", "application/json"))
            Assert.Equal(422, (int)refused.StatusCode);

        using var near = (await scene.Scene.StartServiceAsync(
            ("ClaimCheck__BulkJobs__ClaimHosts__0__Address", far.Address.GetLeftPart(UriPartial.Authority)),
            ("ClaimCheck__BulkJobs__ClaimHosts__0__Key", key))).NewHttp();
        // The job of a process that may follow it: the other one would not.
        BulkJob job;
        do
        {
            job = await JobScene.EndedAsync(near, await JobScene.PostAsync(
                near, "copy", $$"""{ "operation": "copy", "claim": "{{claim}}" }""", "application/json"));
        }
        while (job.Failure?.Code == "claim_not_allowed");
        Assert.True(job.Succeeded == 50, $"{job.Status} {job.Failure}");
    }

    [Fact]
    public async Task Revoked_while_it_runs_the_batch_is_applied_no_further()
    {
        await using var many = await JobScene.CreateAsync(3000);
        many.AddOperation("gated", "item", JobService.Gated("ord_350"), """, "chunk": 100 """);
        many.Scene.AddDataset("orders", "SELECT id, 'sent' AS status FROM orders ORDER BY touched, length(id), id");
        using var asking = (await many.Scene.StartServiceAsync()).NewHttp();
        var claim = await ExportAsync(asking, "csv", "orders");
        await using var gate = await GateAsync(many);
        var job = await JobScene.PostAsync(
            asking, "gated", $$"""{ "operation": "gated", "claim": "{{claim}}" }""", "application/json");
        await WaitsAtTheGateAsync(many);
        using (await asking.DeleteAsync(claim[..claim.LastIndexOf('/')]))
            await Task.Delay(1100); // the claim is looked at once a second
        await gate.DisposeAsync();

        var failed = await JobScene.EndedAsync(asking, job);
        Assert.Equal((BulkJobStatus.Failed, "batch_revoked"), (failed.Status, failed.Failure!.Code));
        Assert.Equal(400, failed.Succeeded);
        Assert.Equal("0:2600 1:400", await many.TouchesAsync());
    }

    private static async Task<string> ExportAsync(HttpClient asking, string format, string dataset = "items")
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "/v1/exports") { Content = JsonContent.Create(new { dataset, format }) };
        request.Headers.Add("Prefer", "wait=60");
        using var answer = await asking.SendAsync(request);
        Assert.True((int)answer.StatusCode == 200, await answer.Content.ReadAsStringAsync());
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync()).Link("manifest");
    }

    private Task<NpgsqlConnection> GateAsync() => GateAsync(scene);

    private Task WaitsAtTheGateAsync() => WaitsAtTheGateAsync(scene);

    private static async Task<NpgsqlConnection> GateAsync(JobScene at)
    {
        var holder = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(at.Target) { Pooling = false }.ConnectionString);
        await holder.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(4711)", holder);
        await command.ExecuteNonQueryAsync();
        return holder;
    }

    private static Task WaitsAtTheGateAsync(JobScene at) => Eventually.TrueAsync(async () => await Scene.ScalarAsync<bool>(
        at.Target,
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query "
        + "LIKE '%claimcheck_%' AND pid <> pg_backend_pid())"));
}
