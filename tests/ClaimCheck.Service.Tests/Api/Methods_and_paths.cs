namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Methods_and_paths(ApiService service)
{
    [Fact]
    public async Task HEAD_works_where_GET_does()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items", "criteria": { "least": 999 } }""");
        string[] paths =
        [
            "/v1/datasets", "/v1/datasets/items", "/v1/exports", export.Link("self"), export.Link("batch"),
            export.Link("manifest"), export.Link("batch") + "/data",
            "/v1/events", "/health/live", "/health/ready", "/openapi/v1.json", "/problems", "/problems/not_found",
        ];
        foreach (var path in paths)
        {
            var get = await service.Http.GetAsync(path);
            var head = await service.Http.SendAsync("HEAD", path);
            Assert.True(
                (get.Status, head.Status, head.Body.Length) == (200, 200, 0),
                $"{path}: {get.Status}, {head.Status}, {head.Body.Length}");
            Assert.Equal(get.Header("Content-Type"), head.Header("Content-Type"));
        }

        Assert.Equal(404, (await service.Http.SendAsync("HEAD", "/v1/exports/none")).Status);
    }

    [Theory]
    [InlineData("PUT", "/v1/exports")]
    [InlineData("DELETE", "/v1/exports")]
    [InlineData("PATCH", "/v1/exports")]
    [InlineData("OPTIONS", "/v1/exports")]
    [InlineData("TRACE", "/v1/exports")]
    [InlineData("QUERY", "/v1/exports")]
    [InlineData("FROB-1", "/v1/exports")]
    [InlineData("POST", "/v1/exports/x")]
    [InlineData("POST", "/v1/datasets")]
    [InlineData("GET", "/v1/batches")]
    [InlineData("POST", "/v1/batches/x")]
    [InlineData("PUT", "/v1/batches/x/manifest")]
    [InlineData("DELETE", "/v1/batches/x/data")]
    [InlineData("POST", "/v1/events")]
    [InlineData("DELETE", "/health/live")]
    [InlineData("POST", "/problems")]
    [InlineData("POST", "/openapi/v1.json")]
    public async Task Another_method_is_405(string method, string path)
    {
        var refused = await service.Idle.SendAsync(method, path);
        refused.IsProblem(405, "method_not_allowed");
        Assert.All(refused.Header("Allow")!.Split(", "), allowed =>
            Assert.Contains(allowed, refused.Json.Text("detail"), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v2/exports")]
    [InlineData("/v1/exports/x/y")]
    [InlineData("/v1/exports%2fx")]
    [InlineData("/v1//exports")]
    [InlineData("/v1/batches/x/files")]
    [InlineData("/v1/batches/x/files/")]
    [InlineData("/health")]
    [InlineData("/openapi/v2.json")]
    [InlineData("/openapi/v1.yaml")]
    [InlineData("/openapi/..%2fv1.json")]
    [InlineData("/problems/none")]
    [InlineData("/favicon.ico")]
    [InlineData("/appsettings.json")]
    [InlineData("/%ff%fe")]
    [InlineData("/v1/exports/..%2f..%2f..%2fetc%2fpasswd")]
    public async Task An_unknown_path_is_404(string path) => (await service.Idle.GetAsync(path)).IsProblem(404, "not_found");

    [Theory]
    [InlineData("GET /v1/exports/../../etc/passwd HTTP/1.1\nHost: localhost\nConnection: close\n\n")]
    [InlineData("GET /v1/exports/%2e%2e/%2e%2e/x HTTP/1.1\nHost: localhost\nConnection: close\n\n")]
    [InlineData("GET //evil.example/v1 HTTP/1.1\nHost: localhost\nConnection: close\n\n")]
    [InlineData("GET /v1\\exports HTTP/1.1\nHost: localhost\nConnection: close\n\n")]
    [InlineData("GET /v1/exports/%00 HTTP/1.1\nHost: localhost\nConnection: close\n\n")]
    [InlineData("GET /v1/exports/%zz HTTP/1.1\nHost: localhost\nConnection: close\n\n")]
    public async Task A_path_trick_leads_nowhere(string request)
    {
        var answer = await service.Idle.RawAsync(request);
        Assert.Contains(answer.Split(' ')[1], (string[])["400", "404"]);
    }

    [Theory]
    [InlineData("GET /v1/exports HTTP/1.1\nConnection: close\n\n")]
    [InlineData("GET /v1/exports HTTP/1.1\nHost: a\nHost: b\nConnection: close\n\n")]
    [InlineData("GET http://evil.example/v1/exports HTTP/1.1\nHost: localhost\nConnection: close\n\n")]
    [InlineData(
        "POST /v1/exports HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: x\nConnection: close\n\n")]
    [InlineData("POST /v1/exports HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked\n"
        + "Connection: close\n\nzz\n\n")]
    [InlineData("nonsense\n\n")]
    public async Task Broken_HTTP_is_refused(string request)
    {
        var answer = await service.Idle.RawAsync(request);
        Assert.StartsWith("HTTP/1.1 4", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trailing_slash_is_no_other_address() => (await service.Idle.GetAsync("/v1/exports/")).Items();

    [Fact]
    public async Task A_very_long_query_is_4xx_and_the_service_lives()
    {
        var answer = await service.Idle.GetAsync("/v1/exports?dataset=" + new string('x', 7000));
        Assert.Empty(answer.Items());
        Assert.InRange((await service.Idle.GetAsync("/v1/exports?x=" + new string('x', 100_000))).Status, 400, 499);
        (await service.Idle.GetAsync("/v1/exports?cursor=" + new string('A', 7000))).IsProblem(400, "invalid_cursor");
        (await service.Idle.GetAsync("/v1/exports/" + new string('A', 7000))).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task Health_is_told()
    {
        Assert.Equal("""{"status":"live"}""", (await service.Http.GetAsync("/health/live")).Text);
        Assert.Equal("""{"status":"ready"}""", (await service.Http.GetAsync("/health/ready")).Text);
    }
}
