using System.Text.Json;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class Ending_an_export(ApiService service)
{
    private static readonly string[] ReportFields =
        ["batchId", "state", "reason", "revokedAt", "revokedBy", "verifiedAt", "objects", "probes", "redeemed", "redeemedTotal",
            "cascaded", "cascadedTotal", "pending"];

    [Theory]
    [InlineData("self")]
    [InlineData("batch")]
    public async Task A_pending_export_is_cancelled(string link)
    {
        var export = await service.Idle.AskAsync("""{ "dataset": "items" }""");

        var report = await service.Idle.SendAsync("DELETE", export.Link(link) + "?reason=no%20need");

        Assert.Equal(200, report.Status);
        Assert.Equal("no-store", report.Header("Cache-Control"));
        Assert.Equal(ReportFields, report.Json.Names());
        Assert.Equal(
            ("cancelled", "no need", "administrator"),
            (report.Json.Text("state"), report.Json.Text("reason"), report.Json.Text("revokedBy")));
        Assert.NotNull(report.Json.Text("verifiedAt"));
        Assert.Equal("cancelled", (await service.Idle.GetAsync(export.Link("self"))).Json.Text("state"));
    }

    [Fact]
    public async Task A_running_export_is_cancelled_and_its_worker_set_free()
    {
        var export = await service.Http.AskAsync("""{ "dataset": "endless" }""");
        await Eventually.TrueAsync(
            async () => (await service.Http.GetAsync(export.Link("self"))).Json.Text("state") == "running");

        var report = await service.Http.SendAsync("DELETE", export.Link("self"));

        Assert.Contains(report.Status, (int[])[200, 202]);
        Assert.Equal("cancelled", report.Json.Text("state"));
        Assert.Equal(JsonValueKind.Null, report.Json.GetProperty("reason").ValueKind);
        await Eventually.TrueAsync(
            async () => (await service.Http.GetAsync(export.Link("batch"))).Json.Text("deletionVerifiedAt") is not null);
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(service.Scene.Source, "SELECT count(*) FROM "
            + "pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid() AND state = 'active'") == 0);
    }

    [Fact]
    public async Task A_ready_batch_is_revoked_with_proof_and_the_report_stays()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items" }""");
        var link = (await service.Http.GetAsync(
            export.Link("manifest"), ("ClaimCheck-Consumer", "crm"))).Json.GetProperty("files")[0].Text("url")!;

        var report = await service.Http.SendAsync("DELETE", export.Link("self") + "?reason=wrong");

        Assert.Equal(200, report.Status);
        Assert.Equal(ReportFields, report.Json.Names());
        Assert.Equal(("revoked", "wrong", 0L), (report.Json.Text("state"), report.Json.Text("reason"),
            report.Json.GetProperty("objects").GetProperty("remaining").GetInt64()));
        Assert.Equal(["deleted", "remaining", "uploadsAborted"], report.Json.GetProperty("objects").Names());
        Assert.NotEmpty(report.Json.GetProperty("probes").EnumerateArray());
        Assert.All(report.Json.GetProperty("probes").EnumerateArray(), probe =>
        {
            Assert.Equal(["object", "before", "after", "at"], probe.Names());
            Assert.Equal((206, 404), (probe.GetProperty("before").GetInt32(), probe.GetProperty("after").GetInt32()));
        });
        Assert.Equal(
            ["caller", "times", "lastAt"],
            Assert.Single(report.Json.GetProperty("redeemed").EnumerateArray(), row => row.Text("caller") == "crm").Names());
        Assert.Equal(404, (await service.Http.GetAsync(link)).Status);

        var again = await service.Http.SendAsync("DELETE", export.Link("batch") + "?reason=other");
        Assert.Equal((200, "revoked", "wrong"), (again.Status, again.Json.Text("state"), again.Json.Text("reason")));
        Assert.Equal(report.Json.Text("revokedAt"), again.Json.Text("revokedAt"));
        Assert.Equal(
            JsonValueKind.Null,
            (await service.Http.GetAsync(export.Link("self"))).Json.GetProperty("links").GetProperty("cancel").ValueKind);
    }

    [Fact]
    public async Task What_ended_otherwise_keeps_its_state()
    {
        var failed = (await service.Http.PostAsync("/v1/exports", """{ "dataset": "broken" }""", ("Prefer", "wait=60"))).Json;
        var report = await service.Http.SendAsync("DELETE", failed.Link("batch") + "?reason=late");
        Assert.Equal((200, "failed"), (report.Status, report.Json.Text("state")));
        Assert.Equal("failed", (await service.Http.GetAsync(failed.Link("self"))).Json.Text("state"));
    }

    [Fact]
    public async Task Ten_at_once_get_the_same_report()
    {
        // Several batches at a time, so that the calls of one get in the way of the others'.
        var exports = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => service.Http.ReadyAsync("""{ "dataset": "items" }""")));

        await Task.WhenAll(exports.Select(async export =>
        {
            var reports = await Task.WhenAll(Enumerable.Range(0, 10)
                .Select(at => service.Http.SendAsync("DELETE", export.Link(at % 2 == 0 ? "self" : "batch") + $"?reason=r{at}")));

            Assert.All(reports, report => Assert.True(report.Status == 200, report.Text));
            Assert.Single(reports.Select(report => (report.Json.Text("reason"), report.Json.Text("revokedAt"))).Distinct());
            Assert.Equal(1, await Scene.ScalarAsync<long>(
                service.Scene.Catalog,
                $"SELECT count(*) FROM outbox WHERE type = 'BulkRevoked' AND data::text LIKE '%{export.Text("batchId")}%'"));
        }));
    }

    [Fact]
    public async Task A_reason_that_can_t_be_is_refused_and_nothing_ends()
    {
        var export = await service.Idle.AskAsync("""{ "dataset": "items" }""");
        (await service.Idle.SendAsync("DELETE", export.Link("self") + "?reason=" + new string('x', 501)))
            .IsProblem(400, "invalid_parameter");
        (await service.Idle.SendAsync("DELETE", export.Link("self") + "?reason=a%00b")).IsProblem(400, "invalid_parameter");
        Assert.Equal("pending", (await service.Idle.GetAsync(export.Link("self"))).Json.Text("state"));
    }

    [Theory]
    [InlineData("exp_01890a5dac96774bbcceb302099a8057")]
    [InlineData("bat_01890a5dac96774bbcceb302099a8057")]
    [InlineData("x")]
    public async Task An_unknown_export_is_404(string id)
    {
        (await service.Idle.SendAsync("DELETE", $"/v1/exports/{id}")).IsProblem(404, "not_found");
        (await service.Idle.GetAsync($"/v1/exports/{id}", ("Prefer", "wait=60"))).IsProblem(404, "not_found");
    }
}
