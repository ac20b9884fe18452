using System.Text.Json;
using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed partial class Asking_for_an_export(ApiService service)
{
    [Fact]
    public async Task The_answer_is_202_with_the_export()
    {
        var answer = await service.Http.PostAsync("/v1/exports", """{ "dataset": "items", "criteria": { "least": 990 } }""");

        Assert.Equal(202, answer.Status);
        var export = answer.Json;
        Assert.Equal($"/v1/exports/{export.Text("exportId")}", answer.Header("Location"));
        Assert.True(int.Parse(answer.Header("Retry-After")!) > 0);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal("application/json; charset=utf-8", answer.Header("Content-Type"));
        Assert.Equal(
            ["exportId", "batchId", "state", "dataset", "schemaVersion", "criteria", "format", "compression", "progress",
                "createdAt", "startedAt", "readyAt", "expiresAt", "endedAt", "retryOf", "failure", "links"],
            export.Names());
        Assert.Equal(["records", "bytes", "files", "estimatedRecords", "ranges", "recordsPerSecond", "bytesPerSecond",
            "secondsLeft", "estimateRatio"], export.GetProperty("progress").Names());
        Assert.Equal(["self", "batch", "manifest", "staging", "cancel"], export.GetProperty("links").Names());
        Assert.Matches("^exp_[0-9a-f]{12}7[0-9a-f]{19}$", export.Text("exportId"));
        Assert.Matches("^bat_[0-9a-f]{12}7[0-9a-f]{19}$", export.Text("batchId"));
        Assert.Matches(Rfc3339Utc(), export.Text("createdAt"));
        Assert.Equal(
            ("csv", "gzip", 1),
            (export.Text("format"), export.Text("compression"), export.GetProperty("schemaVersion").GetInt32()));
        Assert.Equal("""{"least":990}""", export.GetProperty("criteria").GetRawText());
        foreach (var name in (string[])["readyAt", "expiresAt", "endedAt", "retryOf", "failure"])
            Assert.Equal(JsonValueKind.Null, export.GetProperty(name).ValueKind);
        Assert.Equal($"{service.Http.Address}v1/exports/{export.Text("exportId")}", export.Link("self"));
        Assert.Equal($"{service.Http.Address}v1/batches/{export.Text("batchId")}/manifest", export.Link("manifest"));
    }

    [Fact]
    public async Task The_staging_link_is_in_the_202_alone_and_works_from_ready_on()
    {
        var pending = await service.Idle.AskAsync("""{ "dataset": "items" }""");
        Assert.Contains((await service.Idle.GetAsync(pending.Link("staging"))).Status, (int[])[403, 404]);
        Assert.DoesNotContain("staging", (await service.Idle.GetAsync(pending.Link("self"))).Json.GetProperty("links").Names());

        var asked = await service.Http.AskAsync("""{ "dataset": "items" }""");
        var ready = await service.Http.GetAsync(asked.Link("self"), ("Prefer", "wait=60"));
        Assert.Equal("ready", ready.Json.Text("state"));
        Assert.DoesNotContain("staging", ready.Json.GetProperty("links").Names());
        var manifest = await service.Http.GetAsync(asked.Link("staging"));
        Assert.True(manifest.Status == 200, manifest.Text);
        Assert.Equal(asked.Text("batchId"), manifest.Json.Text("batchId"));
    }

    [Fact]
    public async Task How_its_source_is_read_is_null_until_that_is_known()
    {
        var pending = await service.Idle.AskAsync("""{ "dataset": "items" }""");
        Assert.Equal(JsonValueKind.Null, pending.GetProperty("progress").GetProperty("ranges").ValueKind);

        var asked = await service.Http.AskAsync("""{ "dataset": "items" }""");
        var ready = await service.Http.GetAsync(asked.Link("self"), ("Prefer", "wait=60"));
        Assert.Equal("""{"by":"none","count":1}""", ready.Json.GetProperty("progress").GetProperty("ranges").GetRawText());
    }

    [Theory]
    [InlineData("""{}""", "dataset")]
    [InlineData("""{ "dataset": null }""", "dataset")]
    [InlineData("""{ "dataset": "none" }""", "dataset")]
    [InlineData("""{ "dataset": "ITEMS" }""", "dataset")]
    [InlineData("""{ "dataset": "" }""", "dataset")]
    [InlineData("""{ "dataset": 1 }""", "dataset")]
    [InlineData("""{ "dataset": ["items"] }""", "dataset")]
    [InlineData("""{ "Dataset": "items" }""", "dataset", "Dataset")]
    [InlineData("""{ "dataset": "items", "more": 1 }""", "more")]
    [InlineData("""{ "dataset": "items", "more": null }""", "more")]
    [InlineData("""{ "dataset": "items", "format": "xml" }""", "format")]
    [InlineData("""{ "dataset": "items", "format": "CSV" }""", "format")]
    [InlineData("""{ "dataset": "items", "format": 1 }""", "format")]
    [InlineData("""{ "dataset": "items", "compression": "zstd" }""", "compression")]
    [InlineData("""{ "dataset": "items", "compression": true }""", "compression")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 1 }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 65535 }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 5368709121 }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 65536.5 }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": "65536" }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": -65536 }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 99999999999999999999999999 }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 1e400 }""", "maxFileBytes")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "PT0S" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "P8D" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "P7DT1S" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "P1M" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "P1Y" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "-PT1H" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "01:00:00" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": "" }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "linkLifetime": 3600 }""", "linkLifetime")]
    [InlineData("""{ "dataset": "items", "retention": "PT0S" }""", "retention")]
    [InlineData("""{ "dataset": "items", "retention": "P1Y" }""", "retention")]
    [InlineData("""{ "dataset": "items", "retention": "P999999999D" }""", "retention")]
    [InlineData("""{ "dataset": "items", "criteria": [] }""", "criteria")]
    [InlineData("""{ "dataset": "items", "criteria": "least" }""", "criteria")]
    [InlineData("""{ "dataset": "items", "criteria": { "most": 1 } }""", "criteria.most")]
    [InlineData("""{ "dataset": "items", "criteria": { "least": "x" } }""", "criteria.least")]
    [InlineData("""{ "dataset": "items", "criteria": { "least": 9223372036854775808 } }""", "criteria.least")]
    [InlineData("""{ "dataset": "items", "criteria": { "least": 1.5 } }""", "criteria.least")]
    [InlineData("""{ "dataset": "items", "criteria": { "least": {} } }""", "criteria.least")]
    [InlineData("""{ "dataset": "big" }""", "criteria.rows")]
    [InlineData("""{ "dataset": "big", "criteria": { "rows": null } }""", "criteria.rows")]
    [InlineData("""{ "dataset": "typed", "criteria": { "text": "a\u0000b" } }""", "criteria.text")]
    [InlineData("""{ "dataset": "typed", "criteria": { "number": 2147483648 } }""", "criteria.number")]
    [InlineData("""{ "dataset": "typed", "criteria": { "flag": "true" } }""", "criteria.flag")]
    [InlineData("""{ "dataset": "typed", "criteria": { "since": "yesterday" } }""", "criteria.since")]
    [InlineData("""{ "dataset": "typed", "criteria": { "since": "2026-01-01T00:00:00" } }""", "criteria.since")]
    [InlineData("""{ "dataset": "typed", "criteria": { "day": "2026-02-30" } }""", "criteria.day")]
    [InlineData("""{ "dataset": "typed", "criteria": { "ids": [1, null] } }""", "criteria.ids")]
    [InlineData("""{ "dataset": "typed", "criteria": { "ids": 1 } }""", "criteria.ids")]
    [InlineData("""{ "dataset": "typed", "criteria": { "took": "for ever" } }""", "criteria.took")]
    [InlineData("""{ "dataset": "typed", "criteria": { "who": "me" } }""", "criteria.who")]
    [InlineData("""{ "dataset": "none", "format": "x", "maxFileBytes": 0, "z": 0 }""", "dataset", "format", "maxFileBytes", "z")]
    public async Task A_field_that_does_not_fit_is_named(string body, params string[] fields) =>
        (await service.Idle.PostAsync("/v1/exports", body)).IsInvalid(fields);

    [Theory]
    [InlineData(
        """{ "dataset": "items", "criteria": null, "format": null, "compression": null, "maxFileBytes": null, "linkLifetime": null, "retention": null }""")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 65536, "linkLifetime": "PT1S", "retention": "PT1S" }""")]
    [InlineData("""{ "dataset": "items", "maxFileBytes": 5368709120, "linkLifetime": "P7D", "retention": "P1W" }""")]
    [InlineData("""{ "dataset": "items", "format": "ndjson", "compression": "none", "criteria": { "least": null } }""")]
    [InlineData(
        """{ "dataset": "typed", "criteria": { "text": "'; DROP TABLE items; --", "ids": [], "doc": { "a": [1e5, "\u00e9"] }, "took": "PT90M" } }""")]
    public async Task What_fits_is_taken(string body) => await service.Idle.AskAsync(body);

    [Fact]
    public async Task Criteria_that_try_to_break_out_stay_values()
    {
        var ready = await service.Http.ReadyAsync(
            """{ "dataset": "typed", "compression": "none", "criteria": { "text": "'; DROP TABLE items; -- \\ $$ :number", "doc": { "k": "it's \\" }, "since": "2026-01-01T02:00:00+02:00" } }""");

        Assert.Equal(1000, ready.GetProperty("progress").GetProperty("records").GetInt64());
        Assert.Equal("2026-01-01T00:00:00Z", ready.GetProperty("criteria").Text("since"));
        var data = (await service.Http.GetAsync($"/v1/batches/{ready.Text("batchId")}/data")).Text;
        Assert.Contains(@"'; DROP TABLE items; -- \ $$ :number", data, StringComparison.Ordinal);
        await service.Http.ReadyAsync("""{ "dataset": "items" }""");
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Rfc3339Utc();
}
