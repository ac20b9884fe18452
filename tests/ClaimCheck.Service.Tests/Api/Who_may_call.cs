using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Without a key: loopback only, and no web page of another origin.</summary>
[Collection(ApiTests.Name)]
public sealed class Without_a_key(ApiService service)
{
    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:80")]
    [InlineData("localhost.evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("192.168.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("[::2]")]
    public async Task A_foreign_host_is_421(string host)
    {
        foreach (var path in (string[])["/v1/exports", "/health/live", "/openapi/v1.json", "/problems", "/nothing", "/staging/x"])
            (await service.Idle.GetAsync(path, ("Host", host))).IsProblem(421, "misdirected_request");
        (await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Host", host))).IsProblem(421, "misdirected_request");
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost:8080")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("[::1]")]
    [InlineData("[::1]:8080")]
    public async Task A_host_of_loopback_is_served(string host) => (await service.Idle.GetAsync("/v1/exports", ("Host", host))).Items();

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost:1")]
    [InlineData("https://localhost")]
    public async Task A_foreign_origin_is_403(string origin)
    {
        (await service.Idle.GetAsync("/v1/exports", ("Origin", origin))).IsProblem(403, "foreign_origin");
        (await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Origin", origin))).IsProblem(403, "foreign_origin");
        (await service.Idle.SendAsync("OPTIONS", "/v1/exports", null, ("Origin", origin), ("Access-Control-Request-Method", "DELETE"))).IsProblem(403, "foreign_origin");
    }

    [Fact]
    public async Task The_own_origin_is_served() =>
        (await service.Idle.GetAsync("/v1/exports", ("Origin", service.Idle.Address.GetLeftPart(UriPartial.Authority)), ("Sec-Fetch-Site", "same-origin"))).Items();

    [Fact]
    public async Task A_cross_site_request_is_403()
    {
        (await service.Idle.GetAsync("/v1/exports", ("Sec-Fetch-Site", "cross-site"))).IsProblem(403, "foreign_origin");
        (await service.Idle.GetAsync("/v1/exports", ("Sec-Fetch-Site", "none"))).Items();
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a/b")]
    public async Task A_consumer_has_a_plain_name(string name) =>
        (await service.Idle.GetAsync("/v1/exports", ("ClaimCheck-Consumer", name))).IsProblem(400, "invalid_request");

    [Fact]
    public async Task A_consumer_s_name_has_64_characters_at_most()
    {
        (await service.Idle.GetAsync("/v1/exports", ("ClaimCheck-Consumer", new string('x', 64)))).Items();
        (await service.Idle.GetAsync("/v1/exports", ("ClaimCheck-Consumer", new string('x', 65)))).IsProblem(400, "invalid_request");
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", "ClaimCheck:AdminKey")]
    [InlineData("http://*:0", "ClaimCheck:AdminKey")]
    [InlineData("http://+:0", "ClaimCheck:AdminKey")]
    [InlineData("http://[::]:0", "ClaimCheck:AdminKey")]
    [InlineData("http://127.0.0.1:0;http://0.0.0.0:0", "ClaimCheck:AdminKey")]
    [InlineData("nonsense", "nonsense")]
    [InlineData("ftp://127.0.0.1:0", "ftp://127.0.0.1:0")]
    public async Task It_refuses_to_listen_beyond_loopback(string urls, string named)
    {
        var (code, output) = await ServiceProcess.RunAsync(service.IdleScene.Settings, urls);
        Assert.Equal(1, code);
        var line = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("claimcheck: ", line, StringComparison.Ordinal);
        Assert.Contains(named, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_refuses_a_key_that_is_too_short()
    {
        var (code, output) = await ServiceProcess.RunAsync(
            new Dictionary<string, string>(service.IdleScene.Settings, StringComparer.Ordinal) { ["ClaimCheck__AdminKey"] = "hunter2-hunter2-hunter2-hunter2" });
        Assert.Equal(1, code);
        var line = Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("ClaimCheck:AdminKey has 31 characters", line, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
    }
}

/// <summary>With a key: nothing but the open pages without it, from whatever host or page the call comes.</summary>
[Collection(ApiTests.Name)]
public sealed class With_a_key(ApiService service) : IAsyncLifetime, IDisposable
{
    private const string Key = "0123456789abcdef0123456789abcdef";
    private ServiceProcess process = null!;
    private ApiClient http = null!;

    public async Task InitializeAsync()
    {
        process = await service.IdleScene.StartServiceAsync(("ClaimCheck__AdminKey", Key), ("ClaimCheck__Roles", "api"));
        http = new(process.NewHttp());
    }

    public void Dispose() => http.Dispose();

    public async Task DisposeAsync() => await process.DisposeAsync();

    [Fact]
    public async Task Every_call_but_the_open_ones_needs_it()
    {
        string[] closed = ["/v1/datasets", "/v1/exports", "/v1/exports/x", "/v1/batches/x", "/v1/batches/x/manifest", "/v1/batches/x/data", "/v1/events", "/nothing", "/", "/healthx", "/Health/live", "/v1/../v1/exports"];
        foreach (var path in closed)
            (await http.GetAsync(path)).IsProblem(401, "unauthorized");
        (await http.PostAsync("/v1/exports", """{ "dataset": "items" }""")).IsProblem(401, "unauthorized");
        (await http.PostAsync("/v1/exports", "{")).IsProblem(401, "unauthorized");
        (await http.SendAsync("DELETE", "/v1/exports")).IsProblem(401, "unauthorized");
        string[] wrong = ["Bearer " + Key[..^1], "Bearer " + Key + "x", "Bearer", "Bearer ", "Basic " + Key, Key, "Bearer " + Key.ToUpperInvariant(), $"Bearer {Key}, Bearer {Key}"];
        foreach (var authorization in wrong)
            (await http.GetAsync("/v1/exports", ("Authorization", authorization))).IsProblem(401, "unauthorized");

        foreach (var path in (string[])["/health/live", "/health/ready", "/openapi/v1.json", "/problems", "/problems/not_found"])
            Assert.Equal(200, (await http.GetAsync(path)).Status);
        foreach (var scheme in (string[])["Bearer", "bearer", "BEARER "])
            (await http.GetAsync("/v1/exports", ("Authorization", $"{scheme} {Key}"))).Items();
        (await http.GetAsync("/v1/exports", ("Authorization", $"Bearer {Key}"), ("Host", "api.example"), ("Origin", "https://web.example"), ("Sec-Fetch-Site", "cross-site"))).Items();
        Assert.DoesNotContain(Key, process.Log, StringComparison.Ordinal);
    }
}
