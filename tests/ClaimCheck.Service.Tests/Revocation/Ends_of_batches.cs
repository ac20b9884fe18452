using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Batches;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Revocation;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Tests.Revocation;

/// <summary>Cascades to retry batches, batches that ended otherwise, and retention.</summary>
public sealed class Ends_of_batches
{
    [Fact]
    public async Task Retry_batches_are_revoked_with_their_original_whatever_they_are_doing()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var original = await lab.ReadyAsync();
        var ready = await lab.ReadyAsync(await lab.AskAsync(retryOf: original));
        var grandchild = await lab.ReadyAsync(await lab.AskAsync(retryOf: ready));
        var running = await lab.AskAsync(retryOf: original);
        Assert.Equal(running.ExportId, (await lab.Get<ExportLeases>().TakeAsync(default))!.ExportId);
        var pending = await lab.AskAsync(retryOf: original);
        var stranger = await lab.AskAsync();
        var failed = await lab.AskAsync(retryOf: original);
        await lab.SqlAsync("UPDATE exports SET state = 'failed', ended_at = now() WHERE id = @Id", new { failed.Id });

        await lab.RevokeAsync(original);
        await lab.EraseAsync();

        var report = await lab.ReportAsync(original);
        Assert.Equal(
            new[] { ready, grandchild, running.Batch, pending.Batch }.OrderBy(batch => batch.ToString()),
            report.Cascaded.OrderBy(batch => batch.ToString()));
        foreach (var (batch, state) in new[]
                 {
                     (original, ExportState.Revoked), (ready, ExportState.Revoked), (grandchild, ExportState.Revoked),
                     (running.Batch, ExportState.Cancelled), (pending.Batch, ExportState.Cancelled),
                     (failed.Batch, ExportState.Failed), (stranger.Batch, ExportState.Pending),
                 })
        {
            Assert.Equal(state, (await lab.FindAsync(batch)).State);
            Assert.Empty(await lab.ObjectsAsync(batch)); // the stranger has none yet
        }

        foreach (var batch in new[] { ready, grandchild })
        {
            var own = await lab.ReportAsync(batch);
            Assert.NotNull(own.VerifiedAt);
            Assert.Equal(3, own.Probes.Count(probe => probe is { Before: 206, After: 404 }));
        }

        // Said once for each, and a second DELETE changes nothing.
        await lab.RevokeAsync(original);
        Assert.Equal(report.Cascaded, (await lab.ReportAsync(original)).Cascaded);
        Assert.Equal(
            [(EventTypes.BulkCancelled, 2L), (EventTypes.BulkReady, 3L), (EventTypes.BulkRevoked, 3L)],
            await lab.QueryAsync<(string, long)>("SELECT type, count(*) FROM outbox GROUP BY type ORDER BY type"));
    }

    [Fact]
    public async Task A_batch_that_ended_otherwise_keeps_its_state_and_is_verified_again()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var expired = await lab.ReadyAsync();
        await lab.SqlAsync(
            "UPDATE exports SET expires_at = now() - interval '1 second' WHERE batch_id = @Value", new { expired.Value });
        await lab.Get<Retention>().ExpireAsync(default);
        var failed = await lab.LeaseAsync();
        Assert.True(
            await lab.Get<ExportOutcomes>().FailAsync(failed, new("source_query_failed", "The query failed.", false), default));
        var cancelled = await lab.AskAsync();
        await lab.RevokeAsync(cancelled.Batch);
        await lab.EraseAsync();

        foreach (var (batch, state) in new[] { (expired, ExportState.Expired), (failed.BatchId, ExportState.Failed),
            (cancelled.Batch, ExportState.Cancelled) })
        {
            var first = await lab.ReportAsync(batch);
            Assert.Equal(state, first.State);
            Assert.NotNull(first.VerifiedAt);
            Directory.CreateDirectory(Path.Combine(lab.Folder, StagingKeys.Batch(batch)));
            await File.WriteAllTextAsync(Path.Combine(lab.Folder, StagingKeys.Batch(batch), "stray.json"), "by hand");

            await lab.RevokeAsync(batch);
            Assert.Null((await lab.ReportAsync(batch)).VerifiedAt);
            await lab.EraseAsync();

            var second = await lab.ReportAsync(batch);
            Assert.Equal((state, first.RevokedAt), (second.State, second.RevokedAt));
            Assert.True(second.VerifiedAt > first.VerifiedAt);
            Assert.Empty(await lab.ObjectsAsync(batch));
        }

        Assert.Equal(0, (await lab.QueryAsync<long>("SELECT count(*) FROM outbox WHERE type = 'BulkRevoked'"))[0]);
    }

    [Fact]
    public async Task A_batch_whose_retention_is_over_stays_expired_also_where_the_revocation_comes_before_the_sweep()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var batch = await lab.ReadyAsync();
        var retry = await lab.ReadyAsync(await lab.AskAsync(retryOf: batch));
        await lab.SqlAsync(
            "UPDATE exports SET expires_at = now() - interval '1 second' WHERE batch_id = @Value", new { batch.Value });
        Assert.Equal(ExportState.Expired, (await lab.FindAsync(batch)).EffectiveState);

        Assert.True(await lab.RevokeAsync(batch));
        await lab.EraseAsync();
        Assert.True(await lab.RevokeAsync(batch));
        await lab.EraseAsync();

        var report = await lab.ReportAsync(batch);
        Assert.Equal((ExportState.Expired, ExportState.Revoked), (report.State, (await lab.FindAsync(retry)).State));
        Assert.NotNull(report.VerifiedAt);
        Assert.Equal([retry], report.Cascaded);
        Assert.Empty(await lab.ObjectsAsync(batch));
        Assert.Equal([retry.Value], await lab.QueryAsync<Guid>("SELECT batch_id FROM outbox WHERE type = 'BulkRevoked'"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Files_live_until_retention_ends_counted_from_ready_and_no_link_outlives_it(bool onS3)
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3);
        var retention = TimeSpan.FromMinutes(10);
        var asked = await lab.AskAsync(retention: retention, lifetime: TimeSpan.FromDays(7));
        // a long wait
        await lab.SqlAsync("UPDATE exports SET created_at = now() - interval '1 hour' WHERE id = @Id", new { asked.Id });
        var batch = await lab.ReadyAsync(asked);

        var row = await lab.FindAsync(batch);
        Assert.Equal(row.ReadyAt + retention, row.ExpiresAt);
        var manifest = Assert.IsType<Redeemed<Manifest>>(
            await lab.Get<Claims>().RedeemAsync(batch, RevocationLab.Caller, default)).Value;
        Assert.True(manifest.LinksExpireAt <= row.ExpiresAt);
        Assert.True(row.ManifestExpiresAt is null || row.ManifestExpiresAt <= row.ExpiresAt);
        foreach (var link in RevocationLab.LinksIn(manifest))
            Assert.True(
                EndOf(link) <= row.ExpiresAt!.Value.AddSeconds(1),
                "A signature's end is a whole second, rounded up at most once.");

        // The clock, not the sweep, ends it.
        await lab.SqlAsync(
            "UPDATE exports SET expires_at = now() - interval '1 second' WHERE batch_id = @Value", new { batch.Value });
        foreach (var path in new[] { "manifest", "files/part-00001.csv.gz", "data" })
        {
            using var answer = await lab.Http.GetAsync($"/v1/batches/{batch}/{path}");
            Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
            Assert.Equal(
                ProblemCodes.BatchExpired,
                (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
        }

        Assert.Null(await lab.Get<ManifestWriter>().WriteAsync(batch, StagingKeys.Manifest(batch), default));
        if (!onS3) // the service itself serves those: it must not go by the sweep either
        {
            foreach (var link in RevocationLab.LinksIn(manifest))
                Assert.Equal(HttpStatusCode.NotFound, (await lab.Http.GetAsync(new Uri(link))).StatusCode);
        }

        await lab.Get<Retention>().ExpireAsync(default);
        await lab.EraseAsync();
        Assert.Equal(ExportState.Expired, (await lab.FindAsync(batch)).State);
        Assert.Empty(await lab.ObjectsAsync(batch));
        Assert.NotNull((await lab.ReportAsync(batch)).VerifiedAt);
        foreach (var link in RevocationLab.LinksIn(manifest))
            Assert.Equal(HttpStatusCode.NotFound, (await lab.Http.GetAsync(new Uri(link))).StatusCode);
    }

    [Fact]
    public async Task What_is_not_ready_yet_never_expires_and_what_was_revoked_stays_so()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var revoked = await lab.ReadyAsync();
        await lab.RevokeAsync(revoked);
        var asked = await lab.AskAsync(retention: TimeSpan.FromSeconds(1));
        await lab.SqlAsync("UPDATE exports SET created_at = now() - interval '30 days', expires_at = CASE WHEN state = 'revoked' "
            + "THEN now() - interval '1 day' END");
        await lab.Get<Retention>().ExpireAsync(default);

        Assert.Equal(ExportState.Pending, (await lab.FindAsync(asked.Batch)).State);
        Assert.Equal(ExportState.Revoked, (await lab.FindAsync(revoked)).State);
    }

    private static DateTimeOffset EndOf(string link)
    {
        var query = System.Web.HttpUtility.ParseQueryString(new Uri(link).Query);
        return query["expires"] is { } seconds
            ? DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds))
            : DateTimeOffset.ParseExact(
                query["X-Amz-Date"]!, "yyyyMMdd'T'HHmmss'Z'", null, System.Globalization.DateTimeStyles.AssumeUniversal)
                .AddSeconds(long.Parse(query["X-Amz-Expires"]!));
    }
}
