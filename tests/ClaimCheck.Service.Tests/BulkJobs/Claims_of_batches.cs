using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>A job over a batch of its own service, in both stagings: nothing of it is copied, and a retry
/// reads it again.</summary>
public sealed class Claims_of_batches
{
    private const int Items = 3000;

    [Theory]
    [InlineData(false, "csv")]
    [InlineData(true, "csv")]
    [InlineData(true, "ndjson")]
    public async Task What_failed_of_a_claimed_batch_is_read_and_applied_again(bool onS3, string format)
    {
        await using var scene = await CreateAsync(onS3);
        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();
        var claim = await ExportAsync(http, format);
        // Of several of the retry's portions, and from the first record to the last.
        const string late = "id % 2 = 0 OR id = 1 OR id = 2999";
        await Scene.SqlAsync(scene.Target, $"UPDATE copies SET id = -id WHERE {late}");

        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
            http, "copy", $$"""{ "operation": "copy", "claim": "{{claim}}" }""", "application/json"));
        Assert.Equal((BulkJobStatus.Completed, Items, 1498, 1502), (job.Status, job.TotalItems, job.Succeeded, job.Failed));
        await Scene.SqlAsync(scene.Target, "UPDATE copies SET id = -id WHERE id < 0");
        using var asked = await http.PostAsync($"/v1/bulk-jobs/{job.JobId}/retries", null);
        var retry = await JobScene.EndedAsync(http, (await asked.Content.ReadFromJsonAsync<BulkJob>(ClaimCheckJson.Options))!);

        Assert.True(retry.Status == BulkJobStatus.Completed, $"{retry.Failure}");
        Assert.Equal((1502, 1502, 0), (retry.TotalItems, retry.Succeeded, retry.Failed));
        Assert.Equal(0, await Scene.ScalarAsync<long>(
            scene.Target, "SELECT count(*) FROM items i JOIN copies c USING (id) WHERE c.name IS DISTINCT FROM i.name"));
        Assert.Equal(
            Enumerable.Range(1, Items).Where(id => id % 2 == 0 || id is 1 or 2999).Select(id => (id - 1L, $"{id}")),
            (await JobScene.ResultsAsync(http, retry)).Select(result => (result.Index, result.Key!)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Revoked_before_its_retry_the_batch_is_not_read_again(bool onS3)
    {
        await using var scene = await CreateAsync(onS3);
        using var http = (await scene.Scene.StartServiceAsync()).NewHttp();
        var claim = await ExportAsync(http, "csv");
        await Scene.SqlAsync(scene.Target, "UPDATE copies SET id = -id WHERE id = 5");
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(
            http, "copy", $$"""{ "operation": "copy", "claim": "{{claim}}" }""", "application/json"));
        Assert.Equal((Items - 1, 1), (job.Succeeded, job.Failed));
        await Scene.SqlAsync(scene.Target, "UPDATE copies SET id = -id WHERE id < 0");
        (await http.DeleteAsync(claim[..claim.LastIndexOf('/')])).Dispose();

        using var asked = await http.PostAsync($"/v1/bulk-jobs/{job.JobId}/retries", null);
        var retry = await JobScene.EndedAsync(http, (await asked.Content.ReadFromJsonAsync<BulkJob>(ClaimCheckJson.Options))!);

        Assert.Equal((BulkJobStatus.Failed, "batch_revoked", 0), (retry.Status, retry.Failure!.Code, retry.Succeeded));
        Assert.Equal("none", await Scene.ScalarAsync<string>(scene.Target, "SELECT name FROM copies WHERE id = 5"));
    }

    private static async Task<JobScene> CreateAsync(bool onS3)
    {
        var scene = await JobScene.CreateAsync(10, onS3: onS3);
        scene.AddOperation(
            "copy", "set", "UPDATE copies c SET name = i.name FROM items i WHERE c.id = i.id RETURNING i.ordinal",
            """, "chunk": 100 """,
            """{ "id": { "type": "bigint" }, "name": { "type": "text", "required": false } }""");
        await Scene.SqlAsync(
            scene.Target,
            $"""
            INSERT INTO items SELECT g, 'item ' || g FROM generate_series(101, {Items}) g;
            CREATE TABLE copies AS SELECT id, 'none'::text AS name FROM generate_series(1::bigint, {Items}) id
            """);
        return scene;
    }

    private static async Task<string> ExportAsync(HttpClient asking, string format)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/exports")
        {
            Content = JsonContent.Create(new { dataset = "items", format }),
        };
        request.Headers.Add("Prefer", "wait=60");
        using var answer = await asking.SendAsync(request);
        Assert.True((int)answer.StatusCode == 200, await answer.Content.ReadAsStringAsync());
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync()).Link("manifest");
    }
}
