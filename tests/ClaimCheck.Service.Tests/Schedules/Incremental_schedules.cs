using System.Text.Json;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Schedules;

[Collection(ScheduleTests.Name)]
public sealed class Incremental_schedules(ScheduleService service)
{
    private const string Incremental =
        """{ "dataset": "entries", "criteria": { "since": { "after": "watermark", "overlap": "PT0S" } } }""";

    [Fact]
    public async Task A_run_goes_on_from_the_snapshot_of_the_last_that_was_ready()
    {
        var name = await service.NewAsync(Incremental);
        var first = await service.RunAsync(name);
        Assert.Empty(first.GetProperty("criteria").Names());
        var second = await service.RunAsync(name);
        Assert.Equal(await SnapshotAsync(first), Since(second));
        var third = await service.RunAsync(name);
        Assert.Equal(await SnapshotAsync(second), Since(third));
    }

    [Fact]
    public async Task The_overlap_is_taken_off_and_the_first_run_may_begin_somewhere()
    {
        var name = await service.NewAsync(
            """{ "dataset": "entries", "criteria": { "since": { "after": "watermark", "initial": "2026-01-01T00:00:00Z" } } }""");
        var first = await service.RunAsync(name);
        Assert.Equal(Times_of_a_schedule.At("2026-01-01T00:00:00Z"), Since(first));
        Assert.Equal((await SnapshotAsync(first)).AddMinutes(-5), Since(await service.RunAsync(name)));
    }

    [Fact]
    public async Task What_is_committed_late_is_read_by_the_next_run_however_long_ago_its_transaction_began()
    {
        var name = await service.NewAsync(Incremental);
        await using var late = new Npgsql.NpgsqlConnection(service.Scene.Source);
        await late.OpenAsync();
        await using var writing = await late.BeginTransactionAsync();
#pragma warning disable CA2100 // The tests' own text.
        await using (var insert = new Npgsql.NpgsqlCommand("INSERT INTO entries DEFAULT VALUES RETURNING id", late, writing))
#pragma warning restore CA2100
        {
            var id = (long)(await insert.ExecuteScalarAsync())!;
            Assert.DoesNotContain(id, await IdsAsync(await service.RunAsync(name)));
            Assert.DoesNotContain(id, await IdsAsync(await service.RunAsync(name)));
            await writing.CommitAsync();
            Assert.Contains(id, await IdsAsync(await service.RunAsync(name)));
        }
    }

    [Fact]
    public async Task A_run_that_fails_or_is_cancelled_does_not_move_the_watermark()
    {
        var name = await service.NewAsync(Incremental);
        var first = await service.RunAsync(name);
        var second = await service.RunAsync(name);
        await Scene.SqlAsync(
            service.Scene.Catalog,
            "UPDATE exports SET state = 'failed', ready_at = NULL, ended_at = now() WHERE id = "
            + $"'{Guid.Parse(second.Text("exportId")![4..])}'");
        Assert.Equal(await SnapshotAsync(first), Since(await service.RunAsync(name)));
    }

    [Fact]
    public async Task What_a_revoked_run_read_is_read_again_by_the_next_run()
    {
        var name = await service.NewAsync(Incremental);
        var first = await service.RunAsync(name);
        var second = await service.RunAsync(name);
        var third = await service.RunAsync(name);
        await RevokeAsync(second);
        var fourth = await service.RunAsync(name);
        Assert.Equal(await SnapshotAsync(first), Since(fourth)); // the gap and all after it
        Assert.Equal(await SnapshotAsync(fourth), Since(await service.RunAsync(name)));
        await RevokeAsync(third); // which the fourth has read as well, but before this revocation
        Assert.Equal(Since(third), Since(await service.RunAsync(name)));
    }

    [Fact]
    public async Task When_the_first_run_is_revoked_all_begins_anew()
    {
        var name = await service.NewAsync(Incremental);
        var first = await service.RunAsync(name);
        await service.RunAsync(name);
        await RevokeAsync(first);
        Assert.Empty((await service.RunAsync(name)).GetProperty("criteria").Names());
    }

    [Fact]
    public async Task Other_criteria_begin_anew_and_other_times_do_not()
    {
        var name = await service.NewAsync(Incremental);
        var first = await service.RunAsync(name);
        Assert.Equal(200, (await service.PutAsync(name, $$"""{ "cron": "0 0 0 2 1 ?", "export": {{Incremental}} }""")).Status);
        Assert.Equal(await SnapshotAsync(first), Since(await service.RunAsync(name)));
        Assert.Equal(200, (await service.PutAsync(
            name,
            $$"""{ "cron": "0 0 0 2 1 ?", "export": {{Incremental.Replace("PT0S", "PT1S", StringComparison.Ordinal)}} }""")).Status);
        Assert.Empty((await service.RunAsync(name)).GetProperty("criteria").Names());
    }

    private async Task RevokeAsync(JsonElement run)
    {
        var answer = await service.Http.SendAsync("DELETE", $"/v1/exports/{run.Text("exportId")}");
        Assert.True(answer.Status is 200 or 202, answer.Text);
    }

    private async Task<DateTimeOffset> SnapshotAsync(JsonElement run) =>
        (await service.Http.GetAsync($"/v1/batches/{run.Text("batchId")}")).Json.GetProperty("snapshotAt").GetDateTimeOffset();

    private async Task<long[]> IdsAsync(JsonElement run)
    {
        Assert.Equal("ready", run.Text("exportState"));
        var data = await service.Http.GetAsync($"/v1/batches/{run.Text("batchId")}/data");
        using var unpacked = new StreamReader(
            new System.IO.Compression.GZipStream(new MemoryStream(data.Body), System.IO.Compression.CompressionMode.Decompress));
        return [.. (await unpacked.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(line => long.Parse(line.Trim('"')))];
    }

    private static DateTimeOffset Since(JsonElement run) => run.GetProperty("criteria").GetProperty("since").GetDateTimeOffset();
}
