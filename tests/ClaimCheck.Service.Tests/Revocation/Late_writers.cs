using System.Net;
using Amazon.S3.Model;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Batches;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Staging;
using ClaimCheck.Testing;
using Xunit.Abstractions;

namespace ClaimCheck.Service.Tests.Revocation;

/// <summary>Workers that were active when a batch was revoked, and wake up after the proof: nothing of theirs may
/// come to exist.</summary>
public sealed class Late_writers(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_worker_that_uploads_while_its_export_is_cancelled_leaves_nothing(bool onS3)
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3);
        var asked = await lab.AskAsync(
            sql: "SELECT g::bigint AS id, repeat(md5(g::text), 40) AS name FROM generate_series(1, 30000) g",
            maxFileBytes: 8 << 20);
        var plan = await lab.Get<ExportLeases>().TakeAsync(default);
        Assert.Equal(asked.ExportId, plan!.ExportId);
        var meter = new ExportMeter();
        var exporting = lab.StageAsync(plan, meter);
        await Eventually.TrueAsync(() => Task.FromResult(meter.Files >= 2));

        Assert.True(await lab.RevokeAsync(plan.BatchId));
        await lab.EraseAsync();
        var thrown = await Record.ExceptionAsync(() => exporting);
        Assert.True(thrown is LeaseLostException or StagingException, $"{thrown}");

        // What the worker stored between listing and proof, it could not complete.
        Assert.Empty(await lab.ObjectsAsync(plan.BatchId));
        Assert.Empty(await lab.UploadsAsync(plan.BatchId));
        Assert.NotNull((await lab.ReportAsync(plan.BatchId)).VerifiedAt);
        Assert.False(await lab.Get<ExportOutcomes>().FailAsync(plan, new("late", "Too late.", false), default));
        Assert.Equal(ExportState.Cancelled, (await lab.FindAsync(plan.BatchId)).State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_worker_that_wakes_up_after_the_proof_completes_nothing(bool onS3)
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3);
        var plan = await lab.LeaseAsync();
        await using var writer = (await lab.Get<MultipartUploads>().OpenAsync(
            plan.BatchId, plan.Attempt, plan.LeaseToken, "part-00001.csv.gz",
            new("application/gzip", "part-00001.csv.gz"), default))!;
        await writer.WriteAsync(new byte[6 << 20], default); // more than a part

        await lab.RevokeAsync(plan.BatchId);
        await lab.EraseAsync();
        var report = await lab.ReportAsync(plan.BatchId);
        Assert.NotNull(report.VerifiedAt);
        Assert.Equal(1, report.Objects.UploadsAborted);

        var late = await Assert.ThrowsAsync<StagingException>(() => writer.CompleteAsync(default));
        Assert.True(late.IsMissing, late.Message);
        await writer.DisposeAsync();
        Assert.Null(await lab.Get<MultipartUploads>().OpenAsync(
            plan.BatchId, plan.Attempt, plan.LeaseToken, "part-00002.csv.gz",
            new("application/gzip", "part-00002.csv.gz"), default));
        Assert.Empty(await lab.ObjectsAsync(plan.BatchId));
        Assert.Empty(await lab.UploadsAsync(plan.BatchId));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_relay_that_holds_an_open_manifest_publishes_nothing(bool onS3)
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3);
        var batch = await lab.ReadyAsync();
        var (stopped, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        lab.Staging.Before = async (call, key) =>
        {
            if (call == "complete" && key == StagingKeys.Manifest(batch))
            {
                stopped.SetResult();
                await goOn.Task;
            }
        };
        var writing = lab.Get<ManifestWriter>().WriteAsync(batch, StagingKeys.Manifest(batch), default);
        await stopped.Task;

        await lab.RevokeAsync(batch);
        await lab.EraseAsync();
        Assert.NotNull((await lab.ReportAsync(batch)).VerifiedAt);
        goOn.SetResult();

        Assert.Null(await writing);
        Assert.Empty(await lab.ObjectsAsync(batch));
        Assert.Empty(await lab.UploadsAsync(batch));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_revocation_waits_for_a_claim_that_is_being_minted_and_kills_its_links(bool onS3)
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3);
        var batch = await lab.ReadyAsync();
        var (minting, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        lab.Staging.Before = async (call, _) =>
        {
            if (call == "sign" && minting.TrySetResult())
                await goOn.Task;
        };
        var claim = lab.Get<Claims>().RedeemAsync(batch, RevocationLab.Caller, default);
        await minting.Task;

        var revoking = lab.RevokeAsync(batch);
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query "
            + "LIKE '%pg_advisory_xact_lock(%'"))[0] == 1);
        Assert.False(revoking.IsCompleted);
        goOn.SetResult();

        var manifest = Assert.IsType<Redeemed<Manifest>>(await claim).Value;
        Assert.True(await revoking);
        await lab.EraseAsync();
        Assert.NotNull((await lab.ReportAsync(batch)).VerifiedAt);
        Assert.Equal("tester", Assert.Single((await lab.ReportAsync(batch)).Redeemed).Caller);
        foreach (var link in RevocationLab.LinksIn(manifest))
            Assert.Equal(HttpStatusCode.NotFound, (await lab.Http.GetAsync(new Uri(link))).StatusCode);
        Assert.Equal(ExportState.Revoked, Assert.IsType<Ended<Manifest>>(
            await lab.Get<Claims>().RedeemAsync(batch, RevocationLab.Caller, default)).State);
    }

    [Fact]
    public async Task A_revocation_is_not_kept_waiting_by_claims_that_never_pause()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var batch = await lab.ReadyAsync();
        var redeemed = 0;
        var claimers = Enumerable.Range(0, 6).Select(number => Task.Run(async () =>
        {
            // Each a caller of its own: they share the lock, and overlap.
            var caller = RevocationLab.Caller with { Name = $"caller-{number}" };
            while (await lab.Get<Claims>().RedeemAsync(batch, caller, default) is Redeemed<Manifest>)
                Interlocked.Increment(ref redeemed);
        })).ToList();
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref redeemed) > 100));

        var began = TimeProvider.System.GetTimestamp();
        var before = Volatile.Read(ref redeemed);
        await lab.RevokeAsync(batch).WaitAsync(TimeSpan.FromMinutes(2));
        var meanwhile = Volatile.Read(ref redeemed) - before;
        output.WriteLine(
            $"The revocation took {TimeProvider.System.GetElapsedTime(began)}; {meanwhile} claims were served meanwhile.");
        Assert.True(meanwhile < 1000, $"{meanwhile} claims overtook the revocation.");
        await Task.WhenAll(claimers);
    }

    [Fact]
    public async Task In_a_versioned_bucket_no_version_no_marker_and_no_link_to_a_version_is_left()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3: true, versioned: true);
        var batch = await lab.ReadyAsync();
        // a second version
        Assert.NotNull(await lab.Get<ManifestWriter>().WriteAsync(batch, StagingKeys.Manifest(batch), default));
        var s3 = (await S3Endpoint.GetAsync()).Client;
        var versions = await s3.ListVersionsAsync(
            new ListVersionsRequest { BucketName = lab.Bucket, Prefix = StagingKeys.Batch(batch) });
        Assert.Equal(4, versions.Versions.Count);
        await s3.DeleteObjectAsync(lab.Bucket, versions.Versions[0].Key); // a marker, made by somebody else
        var links = versions.Versions.Select(version => s3.GetPreSignedURL(new GetPreSignedUrlRequest
        {
            BucketName = lab.Bucket,
            Key = version.Key,
            VersionId = version.VersionId,
            Protocol = Amazon.S3.Protocol.HTTP,
            Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1),
        })).ToList();
        foreach (var link in links)
            Assert.Equal(HttpStatusCode.OK, (await lab.Http.GetAsync(link)).StatusCode);

        await lab.RevokeAsync(batch);
        await lab.EraseAsync();

        var report = await lab.ReportAsync(batch);
        Assert.NotNull(report.VerifiedAt);
        Assert.Equal(5, report.Objects.Deleted);
        Assert.Empty(await lab.ObjectsAsync(batch));
        foreach (var link in links)
            Assert.Equal(HttpStatusCode.NotFound, (await lab.Http.GetAsync(link)).StatusCode);
    }

    [Fact]
    public async Task An_attempt_may_begin_while_the_folder_of_another_is_swept_away()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var batch = BatchId.New();
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var sweeping = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
                await lab.Staging.DeleteAsync([new(StagingKeys.File(batch, "a1", "part-00001.csv"), null, 0)], default);
        });
        while (!enough.IsCancellationRequested)
        {
            // Completed or aborted, but never refused because a folder went away between two looks.
            var upload = await lab.Staging.BeginAsync(
                StagingKeys.File(batch, "a1", "part-00001.csv"), StagedContent.Json("x"), default);
            await lab.Staging.AbortAsync(upload, default);
        }

        await sweeping;
    }
}
