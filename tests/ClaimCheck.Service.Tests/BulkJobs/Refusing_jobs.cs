using System.Text;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.BulkJobs;

/// <summary>What callers send instead of a job: it is refused as a whole, or item by item, and leaves nothing.</summary>
public sealed class Refusing_jobs(JobService service) : IClassFixture<JobService>, IAsyncLifetime
{
    private readonly JobScene scene = service.Scene;
    private readonly ApiClient api = service.Api;

    public Task InitializeAsync() => service.ResetAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("application/json", "", """{""", 400, "malformed_json")]
    [InlineData("application/json", "", """[]""", 400, "malformed_json")]
    [InlineData("application/json", "", """{}""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "nope", "items": [{}] }""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": 7, "items": [{}] }""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "item" }""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "item", "items": [] }""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "item", "items": {} }""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "item", "items": [{}], "ttl": "P1Y" }""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "item", "items": [{}], "other": 1 }""", 422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "item", "items": [{}], "claim": "http://x/v1/batches/y/manifest" }""",
        422, "validation_failed")]
    [InlineData("application/json", "",
        """{ "operation": "item", "claim": "http://169.254.169.254/v1/batches/bat_0190f5a3c5d97c3c8d6a1b2c3d4e5f60/manifest" }""",
        422, "validation_failed")]
    [InlineData("application/json", "", """{ "operation": "item", "claim": "file:///etc/passwd" }""", 422, "validation_failed")]
    [InlineData("application/x-ndjson", "", "{}", 422, "validation_failed")]
    [InlineData("application/x-ndjson", "?operation=nope", "{}", 422, "validation_failed")]
    [InlineData("application/x-ndjson", "?operation=item&ttl=x", "{}", 422, "validation_failed")]
    [InlineData("application/x-ndjson", "?operation=item", "", 422, "validation_failed")]
    [InlineData("application/x-ndjson", "?operation=item", "\n \r\n\n", 422, "validation_failed")]
    [InlineData("text/csv", "?operation=item", "", 422, "validation_failed")]
    [InlineData("text/csv", "?operation=item", "id,status\n", 422, "validation_failed")]
    [InlineData("text/csv", "?operation=item", "id\nord_1\n", 422, "validation_failed")]
    [InlineData("text/csv", "?operation=item", "id,status,other\nord_1,x,y\n", 422, "validation_failed")]
    [InlineData("text/csv", "?operation=item", "id,id,status\nord_1,x,y\n", 422, "validation_failed")]
    [InlineData("text/csv", "?operation=item", "id,status\n\"never closed,x\n", 422, "validation_failed")]
    [InlineData("text/plain", "?operation=item", "x", 415, "unsupported_media_type")]
    [InlineData("text/csv; charset=utf-16", "?operation=item", "x", 415, "unsupported_media_type")]
    public async Task What_is_no_request_leaves_no_job(string type, string query, string body, int status, string code)
    {
        var before = await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT count(*) FROM bulk_jobs");
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        (await api.SendAsync("POST", "/v1/bulk-jobs" + query, content)).IsProblem(status, code);
        Assert.Equal(before, await Scene.ScalarAsync<long>(scene.Scene.Catalog, "SELECT count(*) FROM bulk_jobs"));
        await service.NothingStaysAsync();
    }

    [Fact]
    public async Task Hostile_items_are_invalid_and_nothing_worse()
    {
        string[] lines =
        [
            new('[', 5000), "{\"id\":\"" + new string('x', 1_200_000) + "\",\"status\":\"y\"}", "\u0000", "nul",
            "{\"id\":\"\\u0000\",\"status\":\"x\"}",
            "{\"id\":\"\\ud800\",\"status\":\"x\"}", "{\"id\":\"a\",\"status\":\"x\"}{}",
            "{\"id\":\"a\",\"id\":\"b\",\"status\":\"x\"}", "\"text\"", "7", "null",
            "{\"id\":{\"a\":{\"b\":[1,2,3]}},\"status\":\"x\"}",
            "{\"id\":\"'; DROP TABLE orders; --\",\"status\":\"$claimcheck$\"}",
        ];
        var bytes = Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n")
            .Concat("{\"id\":\"\xff\xfe\",\"status\":\"x\"}"u8.ToArray().Select(b => b))
            .Concat((byte[])[(byte)'\n', (byte)'{', (byte)'"', 0xFF, 0xFE]).ToArray();
        using var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/x-ndjson");
        var asked = await api.SendAsync("POST", "/v1/bulk-jobs?operation=item", content, ("Prefer", "wait=60"));

        Assert.Equal((200, "completed"), (asked.Status, asked.Json.Text("status")));
        Assert.Equal(
            (lines.Length + 2, 0),
            (asked.Json.GetProperty("totalItems").GetInt32(), asked.Json.GetProperty("succeeded").GetInt32()));
        Assert.Equal("0:1000", await scene.TouchesAsync());
    }
}
