using System.Text;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Malformed, huge and hostile bodies are 4xx with a code, and change nothing.</summary>
[Collection(ApiTests.Name)]
public sealed class Hostile_bodies(ApiService service) : IAsyncLifetime
{
    private const int OneMebibyte = 1 << 20;
    private long before;

    public async Task InitializeAsync() => before = await ExportsAsync();

    public async Task DisposeAsync() => Assert.Equal(before, await ExportsAsync());

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("x")]
    [InlineData("{")]
    [InlineData("""{ "dataset": "items" """)]
    [InlineData("""{ "dataset": "items" } x""")]
    [InlineData("""{ "dataset": "items", }""")]
    [InlineData("""{ 'dataset': 'items' }""")]
    [InlineData("""{ "dataset": "items" /* comment */ }""")]
    [InlineData("""{ "dataset": "items", "dataset": "items" }""")]
    [InlineData("""{ "dataset": "items", "data\u0073et": "items" }""")]
    [InlineData("""{ "dataset": "items", "criteria": { "least": 1, "least": 2 } }""")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": NaN }""")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 01 }""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"items\"")]
    [InlineData("1")]
    public async Task What_is_no_JSON_object_is_400(string body) =>
        (await service.Idle.PostAsync("/v1/exports", body)).IsProblem(400, "malformed_json");

    [Theory]
    [InlineData("""{ "dataset": "\ud800" }""")]
    [InlineData("""{ "dataset": "items", "\ud800": 1 }""")]
    [InlineData("""{ "dataset": "items", "\udc00\ud800": 1 }""")]
    [InlineData("""{ "dataset": "items", "criteria": { "\ud800": 1 } }""")]
    [InlineData("""{ "dataset": "items", "format": "\ud800" }""")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "\ud800" }""")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": "\ud800" }""")]
    [InlineData("""{ "dataset": "items", "x": "\ud800" }""")]
    [InlineData("""{ "dataset": "typed", "criteria": { "text": "\ud800" } }""")]
    [InlineData("""{ "dataset": "typed", "criteria": { "doc": { "\ud800": 1 } } }""")]
    [InlineData("""{ "dataset": "typed", "criteria": { "doc": ["\udfff"] } }""")]
    [InlineData("""{ "dataset": "typed", "criteria": { "since": "\ud800" } }""")]
    public async Task Half_a_surrogate_pair_is_refused(string body) =>
        IsRefused(await service.Idle.PostAsync("/v1/exports", body));

    [Theory]
    [InlineData("{ \"dataset\": \"items\u00ff\" }")]
    [InlineData("{ \"dataset\": \"items\", \"\u00ff\": 1 }")]
    [InlineData("{ \"dataset\": \"items\", \"criteria\": { \"\u00c0\u0080\": 1 } }")]
    [InlineData("{ \"dataset\": \"typed\", \"criteria\": { \"text\": \"\u00ed\u00a0\u0080\" } }")]
    [InlineData("{ \"dataset\": \"typed\", \"criteria\": { \"doc\": [\"\u00ff\"] } }")]
    [InlineData("{ \"dataset\": \"items\", \"linkLifetime\": \"\u00f8\" }")]
    [InlineData("{ \u00ff\"dataset\": \"items\" }")]
    public async Task Invalid_UTF_8_is_refused(string latin1) =>
        IsRefused(await service.Idle.SendAsync("POST", "/v1/exports", ApiClient.Json(Encoding.Latin1.GetBytes(latin1))));

    [Theory]
    [InlineData("""{ "dataset": "items", "criteria": """, "[", "]", 100_000)]
    [InlineData("""{ "dataset": "typed", "criteria": { "doc": """, "[", "]", 100)]
    [InlineData("""{ "dataset": "items", "x": """, """{"a":""", "}", 10_000)]
    public async Task Deep_nesting_is_refused(string start, string open, string close, int depth)
    {
        var body = start + string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth))
            + string.Concat(Enumerable.Repeat("}", start.Count(c => c == '{')));
        var refused = await service.Idle.PostAsync("/v1/exports", body);
        refused.IsProblem(400, "nested_too_deep");
        Assert.Contains("nested deeper than 64 levels", refused.Json.Text("detail"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/xml")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=latin1")]
    [InlineData("application/jsonx")]
    [InlineData("application/*")]
    [InlineData("nonsense")]
    public async Task Another_media_type_is_415(string? type)
    {
        var content = new ByteArrayContent("""{ "dataset": "items" }"""u8.ToArray());
        if (type is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        var refused = await service.Idle.SendAsync("POST", "/v1/exports", content);
        refused.IsProblem(415, "unsupported_media_type");
        Assert.Equal(
            "The call takes application/json, in UTF-8, but "
            + $"{(type is null ? "the body came without a Content-Type" : "the body's Content-Type is another")}.",
            refused.Json.Text("detail"));
    }

    [Theory]
    [InlineData("POST", "/v1/bulk-jobs", "application/json, application/x-ndjson or text/csv")]
    [InlineData("POST", "/v1/batches/bat_00000000000000000000000000000000/receipts/billing/failures",
        "application/json or application/x-ndjson")]
    [InlineData("PUT", "/v1/schedules/nightly", "application/json")]
    public async Task A_415_names_what_the_call_takes(string method, string path, string types)
    {
        var refused = await service.Idle.SendAsync(method, path, new StringContent("x", Encoding.UTF8, "text/plain"));
        refused.IsProblem(415, "unsupported_media_type");
        Assert.Contains(types, refused.Json.Text("detail"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_beyond_1_MiB_is_413(bool chunked)
    {
        var body = Padded(OneMebibyte + 1);
        var content = chunked ? new StreamContent(new Unsized(body)) : ApiClient.Json(body);
        content.Headers.ContentType = new("application/json");
        // A client that does not ask first may find the connection closed while it still sends.
        (await service.Idle.SendAsync("POST", "/v1/exports", content, ("Expect", "100-continue")))
            .IsProblem(413, "body_too_large");
    }

    [Fact]
    public async Task A_body_of_just_1_MiB_is_read() =>
        (await service.Idle.SendAsync("POST", "/v1/exports", ApiClient.Json(Padded(OneMebibyte)))).IsInvalid("dataset");

    [Fact]
    public async Task Ten_thousand_wrong_fields_are_named_and_no_more_than_that()
    {
        var body = "{" + string.Join(',', Enumerable.Range(0, 10_000).Select(at => $"\"f{at}\":{at}")) + "}";
        (await service.Idle.PostAsync("/v1/exports", body)).IsProblem(422, "validation_failed");
    }

    [Fact]
    public async Task A_number_of_half_a_megabyte_is_refused() =>
        (await service.Idle.PostAsync(
            "/v1/exports", $$"""{ "dataset": "items", "criteria": { "least": {{new string('9', 500_000)}} } }"""))
            .IsInvalid("criteria.least");

    private static void IsRefused(Answer answer)
    {
        Assert.Contains(answer.Status, (int[])[400, 422]);
        answer.IsProblem(answer.Status, answer.Status == 400 ? "malformed_json" : "validation_failed");
    }

    private static byte[] Padded(int length) => Encoding.ASCII.GetBytes("""{"dataset":"none"}""".PadRight(length));

    private Task<long> ExportsAsync() => Scene.ScalarAsync<long>(service.IdleScene.Catalog, "SELECT count(*) FROM exports");

    // Without a length the client sends it in chunks.
    private sealed class Unsized(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}

/// <summary>What is unusual, but allowed.</summary>
[Collection(ApiTests.Name)]
public sealed class Unusual_bodies(ApiService service)
{
    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("Application/JSON;charset=\"UTF-8\"")]
    public async Task The_media_type_may_be_written_in_each_way(string type)
    {
        var content = new ByteArrayContent("""{ "dataset": "items" }"""u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        Assert.Equal(202, (await service.Idle.SendAsync("POST", "/v1/exports", content)).Status);
    }

    [Fact]
    public async Task A_byte_order_mark_is_passed_over() =>
        Assert.Equal(202, (await service.Idle.SendAsync(
            "POST", "/v1/exports", ApiClient.Json([0xEF, 0xBB, 0xBF, .. """{ "dataset": "items" }"""u8]))).Status);

    [Fact]
    public async Task Names_may_be_escaped() => await service.Idle.AskAsync("""{ "data\u0073et": "\u0069tems" }""");
}
