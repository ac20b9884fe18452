using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Subscribing(ApiService service)
{
    [Fact]
    public async Task A_webhook_is_made_shown_once_with_its_secret_listed_and_deleted()
    {
        var made = await service.Idle.PostAsync("/v1/subscriptions", Hook(
            "https://93.184.215.14/made", more: """, "types": ["BulkRevoked", "BulkReady"], "datasets": ["items"] """));
        Assert.True(made.Status == 201, made.Text);
        Assert.Equal("no-store", made.Header("Cache-Control"));
        Assert.Equal(
            ["subscriptionId", "consumer", "datasets", "types", "protocol", "endpoint", "contentType", "state", "reason",
                "createdAt", "warnings", "secret", "links"],
            made.Json.Names());
        Assert.StartsWith("whsec_", made.Json.Text("secret"), StringComparison.Ordinal);
        Assert.Equal(
            ("active", "webhook", "https://93.184.215.14/made"),
            (made.Json.Text("state"), made.Json.Text("protocol"), made.Json.Text("endpoint")));
        var path = "/v1/subscriptions/" + made.Json.Text("subscriptionId");
        Assert.Equal(path, made.Header("Location"));
        Assert.EndsWith(path, made.Json.Link("self"), StringComparison.Ordinal);

        var found = await service.Idle.GetAsync(path);
        Assert.False(found.Json.TryGetProperty("secret", out _));
        Assert.Equal(
            ["BulkReady", "BulkRevoked"], found.Json.GetProperty("types").EnumerateArray().Select(type => type.GetString()));
        Assert.DoesNotContain(
            "whsec_", (await service.Idle.GetAsync("/v1/subscriptions?limit=1000")).Text, StringComparison.Ordinal);
        Assert.Empty((await service.Idle.GetAsync(path + "/deliveries")).Items());

        Assert.Equal(204, (await service.Idle.SendAsync("DELETE", path)).Status);
        (await service.Idle.GetAsync(path)).IsProblem(404, "not_found");
        (await service.Idle.SendAsync("DELETE", path)).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task The_same_again_is_the_same_and_another_wish_at_that_address_is_refused()
    {
        var first = await service.Idle.PostAsync("/v1/subscriptions", Hook("https://93.184.215.14/same"));
        var again = await service.Idle.PostAsync("/v1/subscriptions", Hook("https://93.184.215.14/same"));
        Assert.Equal((201, 200), (first.Status, again.Status));
        Assert.Equal(first.Json.Text("subscriptionId"), again.Json.Text("subscriptionId"));
        Assert.False(again.Json.TryGetProperty("secret", out _));

        (await service.Idle.PostAsync("/v1/subscriptions", Hook(
            "https://93.184.215.14/same", more: """, "types": ["BulkReady"] """))).IsProblem(409, "subscription_exists");
        (await service.Idle.PostAsync(
            "/v1/subscriptions", Hook("https://93.184.215.14/same", more: """, "contentType": "application/json" """)))
            .IsProblem(409, "subscription_exists");
        foreach (var usual in new[] { "null", "\"application/cloudevents+json\"" })
        {
            var named = await service.Idle.PostAsync(
                "/v1/subscriptions", Hook("https://93.184.215.14/same", more: $""", "contentType": {usual} """));
            Assert.Equal((200, "application/cloudevents+json"), (named.Status, named.Json.Text("contentType")));
        }

        Assert.Equal(201, (await service.Idle.PostAsync("/v1/subscriptions", Hook("https://93.184.215.14/same", "crm"))).Status);
    }

    [Fact]
    public async Task Of_many_that_ask_at_once_one_makes_it()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => service.Idle.PostAsync("/v1/subscriptions", Hook("https://93.184.215.14/at-once"))));
        Assert.Equal(1, answers.Count(answer => answer.Status == 201));
        Assert.Equal(7, answers.Count(answer => answer.Status == 200));
        Assert.Single(answers.Select(answer => answer.Json.Text("subscriptionId")).Distinct());
    }

    [Theory]
    [InlineData("{}", "consumer", "protocol", "endpoint")]
    [InlineData("""{ "consumer": 1, "protocol": [], "endpoint": {} }""", "consumer", "protocol", "endpoint")]
    [InlineData("""{ "consumer": "a b", "protocol": "fax", "endpoint": "x", "secret": "x" }""", "consumer", "protocol", "secret")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://93.184.215.14/", "datasets": ["none"], "types": ["bulkReady"] }""",
        "datasets",
        "types")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://93.184.215.14/", "datasets": [], "types": "BulkReady" }""",
        "datasets",
        "types")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://93.184.215.14/", "types": [null] }""", "types")]
    [InlineData("""{ "consumer": "crm", "protocol": "webhook", "endpoint": "http://93.184.215.14/" }""", "endpoint")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://93.184.215.14/", "contentType": "text/plain" }""",
        "contentType")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://93.184.215.14/", "contentType": "application/json; charset=utf-8" }""",
        "contentType")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://93.184.215.14/", "contentType": ["application/json"] }""",
        "contentType")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "sqs", "endpoint": "arn:aws:sqs:us-east-1:123456789012:q", "contentType": "application/json" }""",
        "contentType")]
    [InlineData("""{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://127.0.0.1/" }""", "endpoint")]
    [InlineData("""{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://localhost/" }""", "endpoint")]
    [InlineData(
        """{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://169.254.169.254/latest/meta-data" }""", "endpoint")]
    [InlineData("""{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://u:p@93.184.215.14/" }""", "endpoint")]
    [InlineData("""{ "consumer": "crm", "protocol": "webhook", "endpoint": "https://93.184.215.14/\u0000" }""")]
    public async Task What_does_not_fit_is_named_by_field(string body, params string[] fields)
    {
        var answer = await service.Idle.PostAsync("/v1/subscriptions", body);
        if (fields.Length > 0)
            answer.IsInvalid([.. answer.Json.GetProperty("errors").Names().Where(fields.Contains)]);
        else
            Assert.InRange(answer.Status, 200, 499);
        if (fields.Length > 0)
            Assert.Equal(fields.Order(), answer.Json.GetProperty("errors").Names().Order());
    }

    [Fact]
    public async Task A_queue_needs_a_topic() =>
        (await service.Idle.PostAsync(
            "/v1/subscriptions",
            """{ "consumer": "crm", "protocol": "sqs", "endpoint": "arn:aws:sqs:us-east-1:123456789012:queue" }""")).IsProblem(
                409, "topic_not_configured");

    [Fact]
    public async Task Who_speaks_for_a_consumer_sees_and_makes_that_one_s_alone()
    {
        (string, string) asCrm = ("ClaimCheck-Consumer", "crm-own");
        var other = await service.Idle.PostAsync("/v1/subscriptions", Hook("https://93.184.215.14/own", "billing-own"));
        var path = "/v1/subscriptions/" + other.Json.Text("subscriptionId");

        (await service.Idle.PostAsync("/v1/subscriptions", Hook("https://93.184.215.14/own", "billing-own"), asCrm))
            .IsInvalid("consumer");
        var mine = await service.Idle.PostAsync("/v1/subscriptions", Hook("https://93.184.215.14/own", "crm-own"), asCrm);
        Assert.Equal(201, mine.Status);
        Assert.Equal(
            mine.Json.Text("subscriptionId"),
            Assert.Single((await service.Idle.GetAsync("/v1/subscriptions", asCrm)).Items()).Text("subscriptionId"));
        Assert.Empty((await service.Idle.GetAsync("/v1/subscriptions?consumer=billing-own", asCrm)).Items());
        foreach (var (method, address) in new[]
                 {
                     ("GET", path), ("DELETE", path), ("GET", path + "/deliveries"), ("POST", path + "/test"),
                     ("POST", path + "/secret"),
                     ("POST", path + "/deliveries/evt_00000000000000000000000000000000"),
                 })
        {
            (await service.Idle.SendAsync(method, address, null, asCrm)).IsProblem(404, "not_found");
        }

        Assert.Equal(200, (await service.Idle.GetAsync(path)).Status);
    }

    [Fact]
    public async Task Pages_go_from_new_to_old()
    {
        var made = new List<string?>();
        for (var at = 0; at < 5; at++)
            made.Add((await service.Idle.PostAsync("/v1/subscriptions", Hook($"https://93.184.215.14/{at}", "paging"))).Json
                .Text("subscriptionId"));

        var seen = new List<string?>();
        var cursor = "";
        while (true)
        {
            var page = await service.Idle.GetAsync($"/v1/subscriptions?consumer=paging&limit=2{cursor}");
            seen.AddRange(page.Items().Select(item => item.Text("subscriptionId")));
            if (page.NextCursor() is not { } next)
                break;
            cursor = $"&cursor={next}";
        }

        Assert.Equal(made.AsEnumerable().Reverse(), seen);
        (await service.Idle.GetAsync("/v1/subscriptions?cursor=nonsense")).IsProblem(400, "invalid_cursor");
        (await service.Idle.GetAsync("/v1/subscriptions?limit=0")).IsProblem(400, "invalid_limit");
        (await service.Idle.GetAsync("/v1/subscriptions?consumer=a%20b")).IsProblem(400, "invalid_parameter");
        (await service.Idle.GetAsync($"/v1/subscriptions/{made[0]}/deliveries?state=lost")).IsProblem(400, "invalid_parameter");
        (await service.Idle.GetAsync($"/v1/subscriptions/{made[0]}/deliveries?cursor=nonsense")).IsProblem(400, "invalid_cursor");
    }

    [Theory]
    [InlineData("GET", "/v1/subscriptions/nonsense", 404, "not_found")]
    [InlineData("GET", "/v1/subscriptions/sub_00000000000000000000000000000000", 404, "not_found")]
    [InlineData("PUT", "/v1/subscriptions/sub_00000000000000000000000000000000", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/subscriptions/sub_00000000000000000000000000000000/test", 405, "method_not_allowed")]
    [InlineData("POST", "/v1/subscriptions", 415, "unsupported_media_type")]
    public async Task Other_calls_are_refused(string method, string path, int status, string code) =>
        (await service.Idle.SendAsync(method, path)).IsProblem(status, code);

    [Fact]
    public async Task One_that_is_of_a_queue_is_no_webhook()
    {
        var id = Contracts.SubscriptionId.New();
        await Scene.SqlAsync(
            service.IdleScene.Catalog,
            $"""
            INSERT INTO event_subscriptions (id, consumer, protocol, endpoint, state, disabled_at, after_position)
            VALUES ('{id.Value}', 'queue-alone', 'sqs', 'arn:aws:sqs:us-east-1:123456789012:queue', 'disabled', now(), 0)
            """);
        (await service.Idle.GetAsync($"/v1/subscriptions/{id}/deliveries")).IsProblem(409, "not_a_webhook");
        (await service.Idle.SendAsync("POST", $"/v1/subscriptions/{id}/secret")).IsProblem(409, "not_a_webhook");
        Assert.Equal(204, (await service.Idle.SendAsync("DELETE", $"/v1/subscriptions/{id}")).Status);
    }

    private static string Hook(string endpoint, string consumer = "billing", string more = "") =>
        $$"""{ "consumer": "{{consumer}}", "protocol": "webhook", "endpoint": "{{endpoint}}"{{more}} }""";
}
