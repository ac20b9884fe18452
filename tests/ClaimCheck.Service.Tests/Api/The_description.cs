using System.Text.Json;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class The_description(ApiService service)
{
    [Fact]
    public async Task The_OpenAPI_document_names_every_call_and_its_statuses()
    {
        var document = (await service.Idle.GetAsync("/openapi/v1.json")).Json;
        Assert.StartsWith("3.", document.Text("openapi"), StringComparison.Ordinal);
        var calls = document.GetProperty("paths").EnumerateObject()
            .SelectMany(
                path => path.Value.EnumerateObject().Select(call => ($"{call.Name.ToUpperInvariant()} {path.Name}", call.Value)))
            .ToDictionary(call => call.Item1, call => call.Value);

        var expected = new Dictionary<string, int[]>
        {
            ["GET /v1/datasets"] = [200, 400, 401],
            ["GET /v1/datasets/{name}"] = [200, 401, 404],
            ["POST /v1/datasets/reload"] = [200, 401, 503],
            ["POST /v1/operations/reload"] = [200, 401, 503],
            ["POST /v1/exports"] = [200, 202, 400, 401, 409, 413, 415, 422, 503],
            ["GET /v1/exports"] = [200, 400, 401],
            ["GET /v1/exports/{exportId}"] = [200, 401, 404],
            ["DELETE /v1/exports/{exportId}"] = [200, 202, 400, 401, 404],
            ["GET /v1/batches/{batchId}"] = [200, 401, 404],
            ["DELETE /v1/batches/{batchId}"] = [200, 202, 400, 401, 404],
            ["GET /v1/batches/{batchId}/manifest"] = [200, 401, 404, 409, 410],
            ["GET /v1/batches/{batchId}/files/{name}"] = [307, 401, 404, 409, 410],
            ["GET /v1/batches/{batchId}/data"] = [200, 206, 401, 404, 409, 410, 412, 416],
            ["GET /v1/batches/{batchId}/records"] = [200, 400, 401, 404, 409, 410],
            ["GET /v1/batches/{batchId}/receipts"] = [200, 400, 401, 404],
            ["GET /v1/batches/{batchId}/receipts/{consumer}"] = [200, 401, 404],
            ["PUT /v1/batches/{batchId}/receipts/{consumer}"] = [200, 400, 401, 403, 404, 409, 410, 413, 415, 422],
            ["GET /v1/batches/{batchId}/receipts/{consumer}/failures"] = [200, 400, 401, 404, 410],
            ["POST /v1/batches/{batchId}/receipts/{consumer}/failures"] = [200, 400, 401, 403, 404, 409, 410, 415, 422],
            ["POST /v1/batches/{batchId}/retries"] = [202, 400, 401, 403, 404, 409, 410, 413, 415, 422],
            ["POST /v1/batches/{batchId}/redeliveries"] = [202, 400, 401, 403, 404, 409, 410, 413, 415, 422],
            ["GET /v1/events"] = [200, 400, 401, 410],
            ["POST /v1/subscriptions"] = [200, 201, 400, 401, 409, 413, 415, 422, 503],
            ["GET /v1/subscriptions"] = [200, 400, 401],
            ["GET /v1/subscriptions/{subscriptionId}"] = [200, 401, 404],
            ["DELETE /v1/subscriptions/{subscriptionId}"] = [204, 401, 404, 503],
            ["GET /v1/subscriptions/{subscriptionId}/deliveries"] = [200, 400, 401, 404, 409],
            ["POST /v1/subscriptions/{subscriptionId}/deliveries/{eventId}"] = [202, 401, 404, 409],
            ["POST /v1/subscriptions/{subscriptionId}/test"] = [200, 401, 404, 409],
            ["POST /v1/subscriptions/{subscriptionId}/secret"] = [200, 401, 404, 409],
            ["GET /v1/schedules"] = [200, 400, 401],
            ["PUT /v1/schedules/{name}"] = [200, 201, 400, 401, 412, 413, 415, 422, 503],
            ["GET /v1/schedules/{name}"] = [200, 401, 404],
            ["DELETE /v1/schedules/{name}"] = [204, 401, 404, 412],
            ["GET /v1/schedules/{name}/runs"] = [200, 400, 401, 404],
            ["GET /v1/schedules/{name}/runs/{runId}"] = [200, 401, 404],
            ["POST /v1/schedules/{name}/run"] = [202, 400, 401, 404, 409],
            ["POST /v1/batches"] = [200, 201, 400, 401, 409, 413, 415, 422, 503],
            ["GET /v1/batches/{batchId}/uploads"] = [200, 401, 404],
            ["PUT /v1/batches/{batchId}/files/{name}"] = [204, 401, 404, 409, 410, 422],
            ["POST /v1/batches/{batchId}/files/{name}/multipart"] = [200, 401, 404, 409, 410],
            ["POST /v1/batches/{batchId}/files/{name}/multipart/complete"] = [204, 401, 404, 409, 410, 422],
            ["POST /v1/batches/{batchId}/publish"] = [200, 202, 401, 404, 409, 410],
            ["GET /v1/operations"] = [200, 400, 401],
            ["GET /v1/operations/{name}"] = [200, 401, 404],
            ["GET /v1/operations/target.sql"] = [200, 401],
            ["POST /v1/bulk-jobs"] = [200, 202, 400, 401, 409, 413, 415, 422, 503],
            ["GET /v1/bulk-jobs"] = [200, 400, 401],
            ["GET /v1/bulk-jobs/{jobId}"] = [200, 401, 404],
            ["DELETE /v1/bulk-jobs/{jobId}"] = [200, 202, 401, 404],
            ["GET /v1/bulk-jobs/{jobId}/failures"] = [200, 400, 401, 404],
            ["GET /v1/bulk-jobs/{jobId}/results"] = [307, 401, 404, 409],
            ["POST /v1/bulk-jobs/{jobId}/retries"] = [202, 400, 401, 404, 409],
            ["GET /health/live"] = [200],
            ["GET /health/ready"] = [200],
            ["GET /problems"] = [200],
            ["GET /problems/{code}"] = [200, 404],
        };
        foreach (var (call, statuses) in expected)
        {
            Assert.True(calls.ContainsKey(call), call);
            var told = calls[call].GetProperty("responses").Names();
            Assert.True(statuses.All(status => told.Contains($"{status}")), $"{call}: {string.Join(' ', told)}");
        }

        Assert.All(calls.Where(call => call.Key.Contains("/v1/", StringComparison.Ordinal)), call =>
            Assert.All(
                call.Value.GetProperty("responses").EnumerateObject().Where(response => response.Name[0] == '4'), response =>
                    Assert.Equal(["application/problem+json"], response.Value.GetProperty("content").Names())));
        var ids = calls.Values.Where(call => call.TryGetProperty("operationId", out _))
            .Select(call => call.Text("operationId")).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    [Fact]
    public async Task The_OpenAPI_document_names_the_parameters_that_matter()
    {
        var paths = (await service.Idle.GetAsync("/openapi/v1.json")).Json.GetProperty("paths");
        Assert.Equal(["Idempotency-Key", "Prefer", "dryRun"], Parameters("/v1/exports", "post"));
        Assert.Equal(["cursor", "dataset", "limit", "state"], Parameters("/v1/exports", "get"));
        Assert.Equal(["Prefer", "exportId"], Parameters("/v1/exports/{exportId}", "get"));
        Assert.Equal(["Last-Event-ID", "after", "limit", "wait"], Parameters("/v1/events", "get"));
        Assert.Equal(["cursor", "limit"], Parameters("/v1/datasets", "get"));
        Assert.Equal(["batchId", "class", "consumer", "cursor", "limit"], Parameters(
            "/v1/batches/{batchId}/receipts/{consumer}/failures", "get"));
        Assert.Equal(["batchId", "cursor", "limit"], Parameters("/v1/batches/{batchId}/records", "get"));
        Assert.Equal(["If-Match", "If-Range", "Range", "batchId"], Parameters("/v1/batches/{batchId}/data", "get"));

        var created = paths.GetProperty("/v1/exports").GetProperty("post").GetProperty("responses").GetProperty("200")
            .GetRawText();
        Assert.Contains("schemas/Export\"", created, StringComparison.Ordinal);
        Assert.Contains("schemas/ExportEstimate\"", created, StringComparison.Ordinal);

        string[] Parameters(string path, string method) =>
            [.. paths.GetProperty(path).GetProperty(method).GetProperty("parameters").EnumerateArray()
                .Select(parameter => parameter.Text("name")!).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Every_problem_has_a_page_in_both_forms()
    {
        var problems = (await service.Idle.GetAsync("/problems")).Items();
        Assert.Equal(
            typeof(ClaimCheck.Contracts.ProblemCodes).GetFields().Select(field => (string?)field.GetRawConstantValue())
                .Order(StringComparer.Ordinal),
            problems.Select(problem => problem.Text("code")).Order(StringComparer.Ordinal));
        foreach (var code in problems.Select(problem => problem.Text("code")!))
        {
            var json = await service.Idle.GetAsync($"/problems/{code}");
            Assert.Equal(["code", "status", "title", "meaning", "remedy"], json.Json.Names());
            var html = await service.Idle.GetAsync($"/problems/{code}", ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"));
            Assert.Equal((200, "text/html; charset=utf-8"), (html.Status, html.Header("Content-Type")));
            Assert.Contains(code, html.Text, StringComparison.Ordinal);
        }

        var list = await service.Idle.GetAsync("/problems", ("Accept", "text/html"));
        Assert.Contains("<a href=\"/problems/not_found\">", list.Text, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Array, (await service.Idle.GetAsync(
            "/problems", ("Accept", "text/html;q=0.5, application/json"))).Json.GetProperty("items").ValueKind);
    }
}
