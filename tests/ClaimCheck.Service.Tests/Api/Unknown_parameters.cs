using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>A query parameter that a call does not know is refused, whatever the call: a filter that is ignored would let
/// everything through.</summary>
[Collection(ApiTests.Name)]
public sealed class Unknown_parameters(ApiService service)
{
    // What each call would take, so that a refusal can only be the parameter's.
    private static readonly Dictionary<string, string> Bodies = new(StringComparer.Ordinal)
    {
        ["POST /v1/exports"] = """{ "dataset": "items" }""",
        ["POST /v1/subscriptions"] =
            """{ "consumer": "unknown", "protocol": "webhook", "endpoint": "https://hooks.example/unknown" }""",
        ["POST /v1/batches"] =
            $$"""{ "dataset": "items", "files": [{ "name": "a", "bytes": 1, "sha256": "{{new string('a', 64)}}", "records": 1 }] }""",
        ["PUT /v1/schedules/items"] = """{ "cron": "0 0 2 * * ?", "timeZone": "UTC", "export": { "dataset": "items" } }""",
    };

    [Fact]
    public async Task Every_call_refuses_one_and_does_nothing()
    {
        var calls = await DescribedCalls.OfAsync(service.Idle);
        var before = await EffectsAsync();
        foreach (var (method, path) in calls)
        {
            foreach (var each in method == "GET" ? (string[])["GET", "HEAD"] : [method])
            {
                var answer = await SendAsync(each, path + "?zzUnknown=1");
                Assert.True(answer.Status == 400, $"{each} {path}: {answer.Status}");
                if (each == "HEAD")
                    continue;
                answer.IsProblem(400, "unknown_parameter");
                Assert.Equal(["zzUnknown"], answer.Json.GetProperty("errors").Names());
            }

            Assert.Equal(before, await EffectsAsync());
        }
    }

    [Fact]
    public async Task Every_parameter_of_the_description_is_known_and_taken_once()
    {
        var seen = 0;
        foreach (var call in await DescribedCalls.OfAsync(service.Idle))
        {
            foreach (var name in call.Query)
            {
                seen++;
                var once = await SendAsync(call.Method, $"{call.Path}?{name}=%20");
                Assert.False(
                    once.Status == 400 && once.Json.Text("code") == "unknown_parameter",
                    $"{call.Method} {call.Path}?{name}: {once.Text}");
                (await SendAsync(call.Method, $"{call.Path}?{name}=1&{name}=1")).IsProblem(400, name switch
                {
                    "limit" => "invalid_limit",
                    "cursor" => "invalid_cursor",
                    _ => "invalid_parameter",
                });
            }
        }

        Assert.True(seen > 20, $"Only {seen} parameters are described.");
        var paths = (await service.Idle.GetAsync("/openapi/v1.json")).Json.GetProperty("paths").EnumerateObject();
        Assert.All(paths.SelectMany(path => path.Value.EnumerateObject()), operation =>
            Assert.Contains("400", operation.Value.GetProperty("responses").Names()));
    }

    [Theory]
    [InlineData("/v1/exports?limt=5", "limt", "limit")]
    [InlineData("/v1/exports?sate=ready", "sate", "state")]
    [InlineData("/v1/exports?state=ready&datasets=items", "datasets", "dataset")]
    [InlineData("/v1/events?from=x", "from", "after, limit, wait")]
    [InlineData("/v1/exports?=x", "", "limit")]
    [InlineData("/v1/exports?%64ry%52un=true", "dryRun", "cursor, dataset, limit, state")]
    public async Task The_nearest_and_all_known_ones_are_named(string path, string name, string named)
    {
        var refused = await service.Idle.GetAsync(path);
        refused.IsProblem(400, "unknown_parameter");
        Assert.Contains(named, refused.Json.Text("detail"), StringComparison.Ordinal);
        Assert.Equal([name], refused.Json.GetProperty("errors").Names());
    }

    [Fact]
    public async Task Names_have_no_case_and_no_call_means_no_judgement()
    {
        (await service.Idle.GetAsync("/v1/exports?LIMIT=1")).Items();
        (await service.Idle.GetAsync("/v1/exports?limit=1&LIMIT=1")).IsProblem(400, "invalid_limit");
        (await service.Idle.GetAsync("/v1/nothing?x=1")).IsProblem(404, "not_found");
        (await service.Idle.SendAsync("PATCH", "/v1/exports?x=1")).IsProblem(405, "method_not_allowed");
        (await service.Idle.GetAsync("/v1/exports?" + string.Join('&', Enumerable.Range(0, 500).Select(at => $"x{at}=1"))))
            .IsProblem(400, "unknown_parameter");
    }

    [Fact]
    public async Task An_unknown_field_is_told_its_nearest_too()
    {
        var refused = await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items", "critria": {} }""");
        refused.IsInvalid("critria");
        Assert.Contains("the nearest is criteria", refused.Text, StringComparison.Ordinal);
    }

    private Task<Answer> SendAsync(string method, string path) => service.Idle.SendAsync(
        method,
        path,
        method is "POST" or "PUT"
            ? ApiClient.Json(System.Text.Encoding.UTF8.GetBytes(Bodies.GetValueOrDefault($"{method} {path.Split('?')[0]}", "{}")))
            : null);

    private async Task<long[]> EffectsAsync()
    {
        var counts = new List<long>();
        foreach (var table in (string[])["exports", "bulk_jobs", "subscriptions", "schedules", "outbox"])
            counts.Add(await Scene.ScalarAsync<long>(service.IdleScene.Catalog, $"SELECT count(*) FROM {table}"));
        return [.. counts];
    }
}
