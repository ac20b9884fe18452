using System.Text.Json;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>The batch, its claim URL and its files before, while and after it is ready.</summary>
[Collection(ApiTests.Name)]
public sealed class Claims_by_state(ApiService service)
{
    private static readonly string[] BatchFields =
    [
        "batchId", "exportId", "state", "dataset", "schemaVersion", "format", "compression", "records", "bytes",
        "uncompressedBytes", "files", "snapshotAt",
        "readyAt", "expiresAt", "endedAt", "reason", "deletionVerifiedAt", "retryOf", "delivery", "receipts", "redeemed",
        "redeemedTotal", "links",
    ];

    [Fact]
    public async Task Before_it_is_ready_every_claim_is_409()
    {
        var batch = (await service.Idle.AskAsync("""{ "dataset": "items" }""")).Link("batch");

        var shown = await service.Idle.GetAsync(batch);
        Assert.Equal(BatchFields, shown.Json.Names());
        Assert.Equal(
            ("pending", 0L, 0),
            (shown.Json.Text("state"), shown.Json.GetProperty("records").GetInt64(), shown.Json.GetProperty("files").GetInt32()));
        foreach (var claim in (string[])["/manifest", "/files/part-00001.csv.gz", "/data"])
            (await service.Idle.GetAsync(batch + claim)).IsProblem(409, "not_ready");
        Assert.Equal(
            ["self", "export", "manifest", "data", "records", "receipts", "revoke"], shown.Json.GetProperty("links").Names());
    }

    [Fact]
    public async Task A_ready_batch_hands_out_links_that_work()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items", "criteria": { "least": 11 } }""");
        var batch = export.Link("batch");

        var answer = await service.Http.GetAsync(batch + "/manifest", ("ClaimCheck-Consumer", "billing"));
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        var manifest = answer.Json;
        Assert.Equal(
            ["exportId", "batchId", "dataset", "schemaVersion", "criteria", "snapshotAt", "columns", "key", "orderedBy", "format",
                "compression", "records", "bytes", "uncompressedBytes", "linksExpireAt", "claimUrl", "files"],
            manifest.Names());
        var file = manifest.GetProperty("files").EnumerateArray().Single();
        Assert.Equal(["name", "url", "records", "bytes", "uncompressedBytes", "sha256", "index"], file.Names());
        Assert.Equal(["url", "bytes", "sha256"], file.GetProperty("index").Names());
        Assert.Equal("""{"least":11}""", manifest.GetProperty("criteria").GetRawText());
        Assert.Equal(batch + "/manifest", manifest.Text("claimUrl"));
        Assert.Equal(990, manifest.GetProperty("records").GetInt64());
        Assert.Equal("part-00001.csv.gz", file.Text("name"));
        await ServesAsync(file.Text("url")!, file);
        await ServesAsync(file.GetProperty("index").Text("url")!, file.GetProperty("index"));

        foreach (var name in (string[])["part-00001.csv.gz", "part-00001.index.json"])
        {
            var redirect = await service.Http.GetAsync($"{batch}/files/{name}");
            Assert.Equal((307, 0), (redirect.Status, redirect.Body.Length));
            Assert.Equal("no-store", redirect.Header("Cache-Control"));
            Assert.Equal(200, (await service.Http.GetAsync(redirect.Header("Location")!)).Status);
        }

        Assert.Equal(307, (await service.Http.SendAsync("HEAD", batch + "/files/part-00001.csv.gz")).Status);
        var redeemed = (await service.Http.GetAsync(batch)).Json.GetProperty("redeemed").EnumerateArray().ToList();
        Assert.Contains(redeemed, row => row.Text("caller") == "billing" && row.GetProperty("times").GetInt64() == 1);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("part-00002.csv.gz")]
    [InlineData("PART-00001.CSV.GZ")]
    [InlineData("manifest.json")]
    [InlineData("%2e%2e%2fmanifest.json")]
    [InlineData("..%2f..%2fsecret")]
    [InlineData("%5c..%5c")]
    public async Task An_unknown_file_is_404(string name)
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items", "criteria": { "least": 990 } }""");
        (await service.Http.GetAsync($"{export.Link("batch")}/files/{name}")).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task A_revoked_batch_is_410()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items" }""");
        Assert.Equal(200, (await service.Http.SendAsync("DELETE", export.Link("batch") + "?reason=wrong%20data")).Status);
        await IsGoneAsync(service.Http, export, "revoked", "batch_revoked");
        var shown = (await service.Http.GetAsync(export.Link("batch"))).Json;
        Assert.Equal("wrong data", shown.Text("reason"));
        Assert.Equal(1000, shown.GetProperty("records").GetInt64());
        Assert.NotNull(shown.Text("endedAt"));
    }

    [Fact]
    public async Task An_expired_batch_is_410()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items", "retention": "PT3S" }""");
        await Eventually.TrueAsync(
            async () => (await service.Http.GetAsync(export.Link("batch"))).Json.Text("state") == "expired");
        await IsGoneAsync(service.Http, export, "expired", "batch_expired");
        await Eventually.TrueAsync(
            async () => (await service.Http.GetAsync(export.Link("batch"))).Json.Text("deletionVerifiedAt") is not null);
        await IsGoneAsync(service.Http, export, "expired", "batch_expired");
    }

    [Fact]
    public async Task A_cancelled_export_is_410()
    {
        var export = await service.Idle.AskAsync("""{ "dataset": "items" }""");
        await service.Idle.SendAsync("DELETE", export.Link("cancel"));
        await IsGoneAsync(service.Idle, export, "cancelled", "export_cancelled");
    }

    [Fact]
    public async Task A_failed_export_is_410()
    {
        var failed = (await service.Http.PostAsync("/v1/exports", """{ "dataset": "broken" }""", ("Prefer", "wait=60"))).Json;
        await IsGoneAsync(service.Http, failed, "failed", "export_failed");
        Assert.DoesNotContain("500", failed.GetProperty("failure").Text("detail"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bat_01890a5dac96774bbcceb302099a8057")]
    [InlineData("bat_00000000000000000000000000000000")]
    [InlineData("bat_01890A5DAC96774BBCCEB302099A8057")]
    [InlineData("exp_01890a5dac96774bbcceb302099a8057")]
    [InlineData("bat_")]
    [InlineData("x")]
    [InlineData("..%2fexports")]
    public async Task An_unknown_batch_is_404(string id)
    {
        foreach (var path in (string[])["", "/manifest", "/files/part-00001.csv", "/data"])
            (await service.Http.GetAsync($"/v1/batches/{id}{path}")).IsProblem(404, "not_found");
        (await service.Http.SendAsync("DELETE", $"/v1/batches/{id}")).IsProblem(404, "not_found");
    }

    private async Task ServesAsync(string link, JsonElement promised)
    {
        var answer = await service.Http.GetAsync(link);
        Assert.Equal(200, answer.Status);
        Assert.Equal(promised.GetProperty("bytes").GetInt64(), answer.Body.Length);
        Assert.Equal(
            promised.Text("sha256"), Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(answer.Body)));
        Assert.Null(answer.Header("Content-Encoding"));
    }

    private static async Task IsGoneAsync(ApiClient client, JsonElement export, string state, string code)
    {
        foreach (var claim in (string[])["/manifest", "/files/part-00001.csv.gz", "/files/none", "/data"])
            (await client.GetAsync(export.Link("batch") + claim)).IsProblem(410, code);
        var batch = (await client.GetAsync(export.Link("batch"))).Json;
        Assert.Equal(BatchFields, batch.Names());
        Assert.Equal(state, batch.Text("state"));
        Assert.Equal(state, (await client.GetAsync(export.Link("self"))).Json.Text("state"));
        Assert.Equal(JsonValueKind.Null, batch.GetProperty("links").GetProperty("manifest").ValueKind);
        Assert.Equal(JsonValueKind.Null, batch.GetProperty("links").GetProperty("data").ValueKind);
    }
}
