using System.Text.Json;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Everything absolute is under the public address, which may have a path that a proxy takes away or not; and what flows
/// is not held back.</summary>
[Collection(ApiTests.Name)]
public sealed class Behind_a_proxy(ApiService service)
{
    private const string AdminKey = "0123456789abcdef0123456789abcdef";
    private static readonly (string, string) Key = ("Authorization", $"Bearer {AdminKey}");

    [Theory]
    [InlineData("https://exports.example/claims/check/", "/claims/check")]
    [InlineData("https://exports.example:8443/v1", "/v1")] // as the service's own paths begin
    [InlineData("https://exports.example", "")]
    public async Task Every_call_answers_with_and_without_the_prefix_and_names_its_problems_under_it(
        string publicUrl, string prefix)
    {
        await using var process = await StartAsync(publicUrl);
        using var http = new ApiClient(process.NewHttp());
        var address = publicUrl.TrimEnd('/');
        foreach (var (method, path) in await DescribedCalls.OfAsync(service.Idle))
        {
            // Without a key, and with an unknown parameter: each call refuses itself, by whichever path it was reached.
            foreach (var reached in (string[])[path, prefix + path])
            {
                var answer = await http.SendAsync(method, reached + "?zz=1");
                Assert.True(answer.Status is 400 or 401, $"{method} {reached}: {answer.Status}");
                Assert.Equal($"{address}/problems/{answer.Json.Text("code")}", answer.Json.Text("type"));
                Assert.Equal(
                    answer.Json.Text("code"),
                    path.StartsWith("/v1", StringComparison.Ordinal) ? "unauthorized" : "unknown_parameter");
            }
        }

        foreach (var (status, answer) in new[]
                 {
                     (404, await http.GetAsync("/nothing", Key)), (404, await http.GetAsync($"{prefix}/nothing", Key)),
                     (405, await http.SendAsync("PATCH", $"{prefix}/v1/exports", null, Key)),
                     (422, await http.SendAsync("POST", $"{prefix}/v1/exports", ApiClient.Json("{}"u8.ToArray()), Key)),
                     (400, await http.GetAsync("/v1/exports?limit=0", Key)),
                 })
        {
            Assert.Equal((status, $"{address}/problems/{answer.Json.Text("code")}"), (answer.Status, answer.Json.Text("type")));
        }

        foreach (var broken in (string[])["nonsense\n\n", "GET /v1/exports HTTP/1.1\nHost: a\nHost: b\nConnection: close\n\n"])
            Assert.Contains($"\"{address}/problems/invalid_request\"", await http.RawAsync(broken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Locations_links_and_the_description_are_under_it()
    {
        await using var process = await StartAsync("https://exports.example/claims/");
        using var http = new ApiClient(process.NewHttp());
        const string address = "https://exports.example/claims";

        var made = new[]
        {
            await PostAsync("/v1/exports", """{ "dataset": "items" }"""),
            await PostAsync(
                "/claims/v1/batches",
                $$"""{ "dataset": "items", "files": [{ "name": "a", "bytes": 1, "sha256": "{{new string('a', 64)}}", "records": 1 }] }"""),
            await http.SendAsync("PUT", "/v1/schedules/behind", ApiClient.Json(
                """{ "cron": "0 0 2 * * ?", "timeZone": "UTC", "export": { "dataset": "items" } }"""u8.ToArray()), Key),
            await PostAsync("/v1/schedules/behind/run", "{}"),
        };
        foreach (var answer in made)
        {
            Assert.True(answer.Status is 201 or 202, answer.Text);
            Assert.StartsWith($"{address}/v1/", answer.Header("Location"), StringComparison.Ordinal);
            Assert.Equal(200, (await http.GetAsync(new Uri(answer.Header("Location")!).AbsolutePath, Key)).Status);
            Assert.Equal(
                200, (await http.GetAsync(new Uri(answer.Header("Location")!).AbsolutePath["/claims".Length..], Key)).Status);
            foreach (var link in Addresses(answer.Json))
                Assert.StartsWith(address + "/", link, StringComparison.Ordinal);
        }

        // What only has a link, and no key, reaches the staging through the prefix too.
        var future = new Uri(made[0].Json.Link("staging"));
        Assert.StartsWith("/claims/staging/", future.AbsolutePath, StringComparison.Ordinal);
        Assert.Equal((404, 404), ((await http.GetAsync(future.PathAndQuery)).Status, (await http.GetAsync(
            future.PathAndQuery["/claims".Length..])).Status));
        Assert.Equal([address], (await http.GetAsync("/claims/openapi/v1.json")).Json.GetProperty("servers").EnumerateArray()
            .Select(server => server.Text("url")));
        Assert.Contains($"href=\"{address}/problems/not_found\"",
            (await http.GetAsync("/claims/problems", ("Accept", "text/html"))).Text, StringComparison.Ordinal);
        await http.SendAsync("DELETE", new Uri(made[2].Header("Location")!).AbsolutePath, null, Key);

        Task<Answer> PostAsync(string path, string json) => http.PostAsync(path, json, Key);
    }

    [Fact]
    public async Task What_flows_is_not_held_back_and_documents_may_be()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items", "criteria": { "least": 990 } }""");
        var batch = export.Link("batch");
        var staged = (await service.Http.GetAsync(export.Link("manifest"))).Json.GetProperty("files")[0].Text("url")!;
        await service.Http.SendAsync("PUT", batch + "/receipts/flow", ApiClient.Json(
            """{ "state": "processing", "succeeded": 0, "transient": 0, "terminal": 0 }"""u8.ToArray()));
        foreach (var (path, accept) in new[]
                 {
                     ("/v1/events", "text/event-stream"), (batch + "/data", "*/*"), (batch + "/files/part-00001.csv.gz", "*/*"),
                     (batch + "/receipts/flow/failures", "application/x-ndjson"), (staged, "*/*"),
                 })
        {
            using var stream = await service.Http.OpenAsync(path, ("Accept", accept), ("Authorization", "Bearer any"));
            Assert.True(stream.IsSuccessStatusCode, $"{path}: {stream.StatusCode}");
            Assert.Equal(["no"], stream.Headers.GetValues("X-Accel-Buffering"));
            Assert.Equal("no-store", stream.Headers.CacheControl?.ToString());
        }

        foreach (var (method, path) in await DescribedCalls.OfAsync(service.Idle))
        {
            foreach (var accept in (string[])["application/json", "text/event-stream, application/x-ndjson"])
            {
                if (method != "GET")
                    continue;
                using var answer = await service.Idle.OpenAsync(path, ("Accept", accept), ("Authorization", "Bearer any"));
                var isDocument = answer.Content.Headers.ContentType?.MediaType is null or "application/json"
                    or "application/problem+json" or "text/html";
                Assert.True(
                    isDocument != answer.Headers.Contains("X-Accel-Buffering"), $"{path}: {answer.Content.Headers.ContentType}");
            }
        }
    }

    private static IEnumerable<string> Addresses(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().SelectMany(property => Addresses(property.Value)),
        JsonValueKind.Array => json.EnumerateArray().SelectMany(Addresses),
        JsonValueKind.String when json.GetString() is { } text
            && (text.Contains("://", StringComparison.Ordinal) || text.StartsWith('/')) => [text],
        _ => [],
    };

    private Task<ServiceProcess> StartAsync(string publicUrl) => ServiceProcess.StartAsync(
        new Dictionary<string, string>(service.IdleScene.Settings, StringComparer.Ordinal)
        {
            ["ClaimCheck__PublicUrl"] = publicUrl,
            ["ClaimCheck__AdminKey"] = AdminKey,
            ["ClaimCheck__Roles"] = "api",
        });
}
