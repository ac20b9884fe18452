using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Idempotency_keys(ApiService service)
{
    private readonly string key = Guid.NewGuid().ToString();

    [Fact]
    public async Task The_same_key_and_meaning_is_the_same_export()
    {
        var first = await PostAsync(
            service.Idle, """{ "dataset": "typed", "criteria": { "number": 10, "since": "2026-01-01T00:00:00Z" } }""", key);
        var second = await PostAsync(
            service.Idle,
            """
            { "retention": "PT48H", "criteria": { "since": "2026-01-01T01:00:00.000+01:00", "text": null, "number": 10 }, "compression": "gzip",
              "maxFileBytes": 268435456, "linkLifetime": "PT120M", "format": "csv", "dataset": "typed" }
            """,
            $"\"{key}\"");

        Assert.Equal((202, 202), (first.Status, second.Status));
        Assert.Equal(first.Json.Text("exportId"), second.Json.Text("exportId"));
        Assert.Equal(first.Header("Location"), second.Header("Location"));
        Assert.NotNull(second.Header("Retry-After"));
    }

    [Theory]
    [InlineData("""{ "dataset": "listed" }""")]
    [InlineData("""{ "dataset": "items", "format": "ndjson" }""")]
    [InlineData("""{ "dataset": "items", "criteria": { "least": 1 } }""")]
    [InlineData("""{ "dataset": "items", "retention": "PT1H" }""")]
    public async Task Another_meaning_is_409(string other)
    {
        Assert.Equal(202, (await PostAsync(service.Idle, """{ "dataset": "items" }""", key)).Status);
        (await PostAsync(service.Idle, other, key)).IsProblem(409, "idempotency_key_reused");
    }

    [Fact]
    public async Task It_is_200_once_the_export_is_ready()
    {
        var first = await PostAsync(service.Http, """{ "dataset": "items" }""", key);
        await service.Http.GetAsync(first.Json.Link("self"), ("Prefer", "wait=60"));

        var again = await PostAsync(service.Http, """{ "dataset": "items" }""", key);

        Assert.Equal(200, again.Status);
        Assert.Equal(("ready", first.Json.Text("exportId")), (again.Json.Text("state"), again.Json.Text("exportId")));
        Assert.DoesNotContain("staging", again.Json.GetProperty("links").Names());
    }

    [Fact]
    public async Task It_is_200_once_the_export_is_cancelled()
    {
        var first = await PostAsync(service.Idle, """{ "dataset": "items" }""", key);
        await service.Idle.SendAsync("DELETE", first.Header("Location")!);

        var again = await PostAsync(service.Idle, """{ "dataset": "items" }""", key);

        Assert.Equal((200, "cancelled"), (again.Status, again.Json.Text("state")));
    }

    [Fact]
    public async Task Many_at_once_make_one_export()
    {
        // More than the catalog's pool has connections.
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 150).Select(_ => PostAsync(service.Idle, """{ "dataset": "listed" }""", key)));

        Assert.All(answers, answer => Assert.True(answer.Status == 202, answer.Text));
        Assert.Single(answers.Select(answer => answer.Json.Text("exportId")).Distinct());
        Assert.Equal(1, await Scene.ScalarAsync<long>(
            service.IdleScene.Catalog, $"SELECT count(*) FROM idempotency_keys WHERE key = '{key}'"));
    }

    [Fact]
    public async Task Each_caller_has_keys_of_its_own()
    {
        var billing = await PostAsync(service.Idle, """{ "dataset": "items" }""", key, ("ClaimCheck-Consumer", "billing"));
        var crm = await PostAsync(service.Idle, """{ "dataset": "listed" }""", key, ("ClaimCheck-Consumer", "crm"));
        var again = await PostAsync(service.Idle, """{ "dataset": "items" }""", key, ("ClaimCheck-Consumer", "billing"));

        Assert.Equal((202, 202), (billing.Status, crm.Status));
        Assert.NotEqual(billing.Json.Text("exportId"), crm.Json.Text("exportId"));
        Assert.Equal(billing.Json.Text("exportId"), again.Json.Text("exportId"));
    }

    [Fact]
    public async Task A_refusal_is_not_remembered()
    {
        (await PostAsync(service.Idle, """{ "dataset": "none" }""", key)).IsInvalid("dataset");
        (await PostAsync(service.Idle, "{", key)).IsProblem(400, "malformed_json");
        Assert.Equal(202, (await PostAsync(service.Idle, """{ "dataset": "items" }""", key)).Status);
    }

    [Fact]
    public async Task Without_a_key_each_request_is_an_export_of_its_own()
    {
        var first = await service.Idle.AskAsync("""{ "dataset": "items" }""");
        var second = await service.Idle.AskAsync("""{ "dataset": "items" }""");
        Assert.NotEqual(first.Text("exportId"), second.Text("exportId"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("\"")]
    [InlineData("a\"b")]
    [InlineData("a\\b")]
    [InlineData("a\tb")]
    public async Task A_malformed_key_is_400(string malformed) =>
        (await PostAsync(service.Idle, """{ "dataset": "items" }""", malformed)).IsProblem(400, "invalid_idempotency_key");

    [Fact]
    public async Task A_key_has_255_characters_at_most()
    {
        var longest = key + new string('x', 255 - key.Length);
        Assert.Equal(202, (await PostAsync(service.Idle, """{ "dataset": "items" }""", longest)).Status);
        (await PostAsync(service.Idle, """{ "dataset": "items" }""", longest + "x")).IsProblem(400, "invalid_idempotency_key");
    }

    [Fact]
    public async Task A_key_may_hold_blanks()
    {
        var quoted = await PostAsync(service.Idle, """{ "dataset": "items" }""", $"\"order {key}\"");
        var bare = await PostAsync(service.Idle, """{ "dataset": "items" }""", $"order {key}");
        Assert.Equal(quoted.Json.Text("exportId"), bare.Json.Text("exportId"));
    }

    [Fact]
    public async Task Two_keys_are_400()
    {
        var answer = await service.Idle.RawAsync(
            "POST /v1/exports HTTP/1.1\nHost: localhost\nConnection: close\nContent-Type: application/json\nContent-Length: 24\n"
            + $"Idempotency-Key: {key}\nIdempotency-Key: {key}\n\n" + """{ "dataset": "items"   }""");
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("invalid_idempotency_key", answer, StringComparison.Ordinal);
    }

    private static Task<Answer> PostAsync(ApiClient client, string body, string key, params (string, string)[] more) =>
        client.PostAsync("/v1/exports", body, [("Idempotency-Key", key), .. more]);
}
