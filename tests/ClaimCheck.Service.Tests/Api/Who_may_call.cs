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
        (await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Host", host)))
            .IsProblem(421, "misdirected_request");
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost:8080")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("[::1]")]
    [InlineData("[::1]:8080")]
    public async Task A_host_of_loopback_is_served(string host) =>
        (await service.Idle.GetAsync("/v1/exports", ("Host", host))).Items();

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost:1")]
    [InlineData("https://localhost")]
    public async Task A_foreign_origin_is_403(string origin)
    {
        (await service.Idle.GetAsync("/v1/exports", ("Origin", origin))).IsProblem(403, "foreign_origin");
        (await service.Idle.PostAsync("/v1/exports", """{ "dataset": "items" }""", ("Origin", origin)))
            .IsProblem(403, "foreign_origin");
        (await service.Idle.SendAsync(
            "OPTIONS", "/v1/exports", null, ("Origin", origin), ("Access-Control-Request-Method", "DELETE")))
            .IsProblem(403, "foreign_origin");
    }

    [Fact]
    public async Task The_own_origin_is_served() =>
        (await service.Idle.GetAsync("/v1/exports", ("Origin", service.Idle.Address.GetLeftPart(UriPartial.Authority)),
            ("Sec-Fetch-Site", "same-origin"))).Items();

    [Fact]
    public async Task A_request_of_another_site_is_403()
    {
        foreach (var site in (string[])["cross-site", "same-site", "Same-Origin", "none, cross-site", "anything"])
            (await service.Idle.GetAsync("/v1/exports", ("Sec-Fetch-Site", site))).IsProblem(403, "foreign_origin");
        (await service.Idle.GetAsync("/v1/exports", ("Sec-Fetch-Site", "none"))).Items();
    }

    [Theory]
    [InlineData("Forwarded", "for=192.0.2.1")]
    [InlineData("X-Forwarded-For", "127.0.0.1")]
    [InlineData("x-forwarded-proto", "https")]
    [InlineData("X-Forwarded-Anything", "")]
    [InlineData("X-Real-IP", "127.0.0.1")]
    [InlineData("Via", "1.1 proxy")]
    public async Task What_a_proxy_forwards_is_421(string header, string value)
    {
        // Everybody who reaches the proxy would be the administrator.
        (await service.Idle.GetAsync("/v1/exports", (header, value))).IsProblem(421, "misdirected_request");
        (await service.Idle.GetAsync("/health/live", (header, value))).IsProblem(421, "misdirected_request");
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\nbroken header\r\n\r\n")]
    [InlineData("GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /v1/exports HTTP/1.1\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    public async Task What_is_no_HTTP_is_answered_with_a_problem(string request)
    {
        using var tcp = new System.Net.Sockets.TcpClient();
        await tcp.ConnectAsync("127.0.0.1", service.Idle.Address.Port);
        await using var stream = tcp.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(request));
        var answer = await new StreamReader(stream).ReadToEndAsync(new CancellationTokenSource(TimeSpan.FromMinutes(2)).Token);
        var (head, body) = (answer.Split("\r\n\r\n")[0], answer.Split("\r\n\r\n", 2)[1]);
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/problem+json", head, StringComparison.Ordinal);
        Assert.Equal("invalid_request", System.Text.Json.JsonDocument.Parse(body).RootElement.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("administrator")]
    [InlineData("claimcheck")]
    public async Task No_consumer_has_a_name_that_the_service_uses_itself(string name)
    {
        (await service.Idle.GetAsync("/v1/exports", ("ClaimCheck-Consumer", name))).IsProblem(400, "invalid_request");
        var subscription = $$"""{ "consumer": "{{name}}", "protocol": "webhook", "endpoint": "https://example.com/" }""";
        (await service.Idle.PostAsync("/v1/subscriptions", subscription)).IsProblem(422, "validation_failed");
    }

    [Fact]
    public async Task An_answer_lists_fifty_errors_at_most()
    {
        var criteria = string.Join(", ", Enumerable.Range(0, 200).Select(i => $"\"field{i}\": 1"));
        var answer = await service.Idle.PostAsync("/v1/exports", $$"""{ "dataset": "items", "criteria": { {{criteria}} } }""");
        answer.IsProblem(422, "validation_failed");
        Assert.Equal(50, answer.Json.GetProperty("errors").EnumerateObject().Count());
        Assert.Contains("200 of its fields", answer.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_run_nothing_and_answers_are_not_sniffed()
    {
        foreach (var (path, accept) in new[] { ("/problems", "text/html"), ("/problems/not_found", "text/html"),
            ("/v1/exports", "application/json"), ("/nothing", "*/*") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            using var http = new HttpClient { BaseAddress = service.Idle.Address };
            using var answer = await http.SendAsync(request);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            if (accept == "text/html")
                Assert.StartsWith("default-src 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")),
                    StringComparison.Ordinal);
        }
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
        (await service.Idle.GetAsync("/v1/exports", ("ClaimCheck-Consumer", new string('x', 65))))
            .IsProblem(400, "invalid_request");
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", "ClaimCheck:AdminKey")]
    [InlineData("http://*:0", "ClaimCheck:AdminKey")]
    [InlineData("http://+:0", "ClaimCheck:AdminKey")]
    [InlineData("http://[::]:0", "ClaimCheck:AdminKey")]
    [InlineData("http://127.0.0.1:0;http://0.0.0.0:0", "ClaimCheck:AdminKey")]
    [InlineData("http://[127.0.0.1]:0", "ClaimCheck:AdminKey")] // to the server that is a name, and a name is every interface
    [InlineData("http://example.com:0", "ClaimCheck:AdminKey")]
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
    public async Task With_a_key_plain_http_beyond_loopback_needs_TLS_in_front()
    {
        var settings = new Dictionary<string, string>(service.IdleScene.Settings, StringComparer.Ordinal)
        {
            ["ClaimCheck__AdminKey"] = "0123456789abcdef0123456789abcdef",
            ["ClaimCheck__Roles"] = "api",
        };
        var (code, output) = await ServiceProcess.RunAsync(settings, "http://0.0.0.0:0");
        Assert.Equal(1, code);
        Assert.Contains("ClaimCheck:BehindTls=true", Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal);

        settings["ClaimCheck__BehindTls"] = "maybe";
        (code, output) = await ServiceProcess.RunAsync(settings, "http://127.0.0.1:0");
        Assert.Equal(1, code);
        Assert.Contains("ClaimCheck:BehindTls is 'maybe', but must be true or false", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_refuses_a_key_that_is_too_short()
    {
        var (code, output) = await ServiceProcess.RunAsync(
            new Dictionary<string, string>(service.IdleScene.Settings, StringComparer.Ordinal)
            {
                ["ClaimCheck__AdminKey"] = "hunter2-hunter2-hunter2-hunter2",
            });
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
        process = await ServiceProcess.StartAsync(
            new Dictionary<string, string>(service.IdleScene.Settings, StringComparer.Ordinal)
            {
                ["ClaimCheck__AdminKey"] = Key,
                ["ClaimCheck__Roles"] = "api",
            });
        http = new(process.NewHttp());
    }

    public void Dispose() => http.Dispose();

    public async Task DisposeAsync() => await process.DisposeAsync();

    [Fact]
    public async Task Every_call_but_the_open_ones_needs_it()
    {
        string[] closed = ["/v1/datasets", "/v1/exports", "/v1/exports/x", "/v1/batches/x", "/v1/batches/x/manifest",
            "/v1/batches/x/data", "/v1/events", "/nothing", "/", "/healthx", "/Health/live", "/v1/../v1/exports"];
        foreach (var path in closed)
            (await http.GetAsync(path)).IsProblem(401, "unauthorized");
        (await http.PostAsync("/v1/exports", """{ "dataset": "items" }""")).IsProblem(401, "unauthorized");
        (await http.PostAsync("/v1/exports", "{")).IsProblem(401, "unauthorized");
        (await http.SendAsync("DELETE", "/v1/exports")).IsProblem(401, "unauthorized");
        string[] wrong = ["Bearer " + Key[..^1], "Bearer " + Key + "x", "Bearer", "Bearer ", "Basic " + Key, Key,
            "Bearer " + Key.ToUpperInvariant(), $"Bearer {Key}, Bearer {Key}"];
        foreach (var authorization in wrong)
            (await http.GetAsync("/v1/exports", ("Authorization", authorization))).IsProblem(401, "unauthorized");

        foreach (var path in (string[])["/health/live", "/health/ready", "/openapi/v1.json", "/problems", "/problems/not_found"])
            Assert.Equal(200, (await http.GetAsync(path)).Status);
        foreach (var scheme in (string[])["Bearer", "bearer", "BEARER "])
            (await http.GetAsync("/v1/exports", ("Authorization", $"{scheme} {Key}"))).Items();
        (await http.GetAsync("/v1/exports", ("Authorization", $"Bearer {Key}"), ("Host", "api.example"),
            ("Origin", "https://web.example"), ("Sec-Fetch-Site", "cross-site"))).Items();
        Assert.DoesNotContain(Key, process.Log, StringComparison.Ordinal);
    }
}
