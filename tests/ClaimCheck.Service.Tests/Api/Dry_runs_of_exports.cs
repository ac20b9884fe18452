using System.Text.Json;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Dry_runs_of_exports(ApiService service)
{
    private const string Estimated = """{ "dataset": "estimated", "compression": "none" }""";

    [Fact]
    public async Task Make_nothing_and_learn_from_the_exports_before()
    {
        var first = await RunAsync(Estimated);
        Assert.Equal(["records", "bytes", "files", "seconds", "ranges", "basedOn"], first.Names());
        Assert.True(first.GetProperty("records").GetInt64() > 0);
        foreach (var name in (string[])["bytes", "files", "seconds"])
            Assert.Equal(JsonValueKind.Null, first.GetProperty(name).ValueKind);
        Assert.Equal("plan", first.Text("basedOn"));
        Assert.Empty((await service.Http.GetAsync("/v1/exports?dataset=estimated")).Items());

        // Its key is free for a request of another meaning.
        var ready = await service.Http.PostAsync(
            "/v1/exports", Estimated, ("Idempotency-Key", "dry"), ("Prefer", "wait=60"));
        Assert.Equal("ready", ready.Json.Text("state"));
        var progress = ready.Json.GetProperty("progress");
        var ratio = progress.GetProperty("estimatedRecords").GetDouble() / progress.GetProperty("records").GetDouble();
        Assert.Equal(ratio, progress.GetProperty("estimateRatio").GetDouble(), 3);
        var second = await RunAsync(Estimated);
        Assert.Equal(
            (1000, progress.GetProperty("bytes").GetInt64(), 1, "history"),
            (second.GetProperty("records").GetInt64(), second.GetProperty("bytes").GetInt64(),
                second.GetProperty("files").GetInt32(), second.Text("basedOn")));
        Assert.True(second.GetProperty("seconds").GetDouble() >= 0);
        Assert.Equal(progress.GetProperty("ranges").GetRawText(), second.GetProperty("ranges").GetRawText());
        // In another form it has not been exported yet.
        Assert.Equal("plan", (await RunAsync("""{ "dataset": "estimated", "format": "ndjson" }""")).Text("basedOn"));
        Assert.Single((await service.Http.GetAsync("/v1/exports?dataset=estimated")).Items());
    }

    [Fact]
    public async Task Are_refused_as_the_export_would_be()
    {
        (await AskAsync("""{ "dataset": "none" }""")).IsInvalid("dataset");
        (await AskAsync("""{ "dataset": "estimated", "maxFileBytes": 1, "more": 1 }""")).IsInvalid("maxFileBytes", "more");
        (await AskAsync("{")).IsProblem(400, "malformed_json");
        (await AskAsync("""{ "dataset": "away" }""")).IsProblem(503, "source_unavailable");
        // This is known by the plan; the export itself would fail.
        (await AskAsync("""{ "dataset": "estimated", "criteria": { "by": 0 } }""")).IsInvalid("criteria");
        foreach (var value in (string[])["", "yes", "True", "1"])
            (await AskAsync(Estimated, value)).IsProblem(400, "invalid_parameter");
        (await service.Idle.PostAsync("/v1/exports?dryRun=true&dryRun=true", Estimated)).IsProblem(400, "invalid_parameter");
        Assert.Equal(202, (await AskAsync("""{ "dataset": "items" }""", "false")).Status);
        Assert.Empty((await service.Idle.GetAsync("/v1/exports?dataset=estimated")).Items());
    }

    private async Task<JsonElement> RunAsync(string body)
    {
        var answer = await service.Http.PostAsync("/v1/exports?dryRun=true", body, ("Idempotency-Key", "dry"));
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Null(answer.Header("Location"));
        return answer.Json;
    }

    private Task<Answer> AskAsync(string body, string dryRun = "true") =>
        service.Idle.PostAsync($"/v1/exports?dryRun={dryRun}", body);
}
