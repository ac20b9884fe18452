using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Revocation;
using ClaimCheck.Service.Staging;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Revocation;

/// <summary>What counts as a proof that a batch's objects and links are gone, and what does not.</summary>
public sealed class The_proof_of_deletion
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_link_is_seen_alive_before_and_dead_after(bool onS3)
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3);
        var batch = await lab.ReadyAsync();
        await lab.RevokeAsync(batch);
        await lab.EraseAsync();

        var report = await lab.ReportAsync(batch);
        Assert.Equal(
            ["manifest.json", "part-00001.csv.gz", "part-00001.index.json"],
            report.Probes.Select(probe => probe.Object).Order(StringComparer.Ordinal));
        Assert.All(report.Probes, probe => Assert.Equal((206, 404), (probe.Before, probe.After)));
        Assert.All(report.Probes, probe =>
            Assert.True(probe.At > report.RevokedAt && probe.At <= report.VerifiedAt!.Value.AddSeconds(1)));
        Assert.Equal(new DeletedObjects(3, 0, 0), report.Objects);
    }

    [Fact]
    public async Task Of_more_than_a_thousand_objects_all_are_listed_absent_and_a_thousand_probed()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        // 64 KiB a file, and an index beside each.
        var asked = await lab.AskAsync(
            maxFileBytes: 64 << 10,
            sql: "SELECT g::bigint AS id, repeat(md5(g::text), 1000) AS name FROM generate_series(1, 1100) g");
        var batch = await lab.ReadyAsync(asked);
        var objects = await lab.ObjectsAsync(batch);
        Assert.True(objects.Count > 1000, $"{objects.Count}");

        await lab.RevokeAsync(batch);
        await lab.EraseAsync();

        var report = await lab.ReportAsync(batch);
        Assert.NotNull(report.VerifiedAt);
        Assert.Equal(objects.Count, report.Objects.Deleted);
        Assert.Equal(0, report.Objects.Remaining);
        Assert.Equal(1000, report.Probes.Count);
        Assert.All(report.Probes, probe => Assert.Equal(404, probe.After));
        Assert.Empty(await lab.ObjectsAsync(batch));
    }

    [Theory]
    [InlineData(404, "NoSuchBucket")]
    [InlineData(403, "SignatureDoesNotMatch")]
    [InlineData(403, "InvalidAccessKeyId")]
    [InlineData(403, "RequestTimeTooSkewed")]
    [InlineData(403, "ExpiredToken")]
    [InlineData(400, "AuthorizationQueryParametersError")]
    [InlineData(503, "SlowDown")]
    [InlineData(200, "NoSuchKey")]
    public async Task An_answer_that_does_not_say_that_the_object_is_gone_is_no_proof(int status, string code)
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3: true);
        var batch = await lab.ReadyAsync();
        lab.Proxy!.On(IsProbe, Fault.S3Error(status, code));
        await lab.RevokeAsync(batch);
        await lab.EraseAsync();

        var report = await lab.ReportAsync(batch);
        Assert.Null(report.VerifiedAt);
        Assert.NotNull(report.Pending);
        Assert.Equal(0, report.Objects.Remaining);

        lab.Proxy.Heal();
        await lab.MakeDueAsync(batch);
        await lab.EraseAsync();
        report = await lab.ReportAsync(batch);
        Assert.NotNull(report.VerifiedAt);
        Assert.Null(report.Pending);
        Assert.Equal(3, report.Objects.Deleted);
    }

    [Fact]
    public async Task A_link_whose_time_is_over_is_no_proof_but_denied_access_is()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3: true);
        var (expired, denied) = (await lab.ReadyAsync(), await lab.ReadyAsync());
        var error = Fault.S3Error(403, "AccessDenied");
        await lab.RevokeAsync(expired);
        lab.Proxy!.On(request => IsProbe(request) && request.Path.Contains(expired.ToString(), StringComparison.Ordinal),
            error with
            {
                Body = error.Body.Replace("AccessDenied, as a test asked for.", "Request has expired", StringComparison.Ordinal),
            });
        await lab.RevokeAsync(denied);
        lab.Proxy.On(request => IsProbe(request) && request.Path.Contains(denied.ToString(), StringComparison.Ordinal), error);
        await lab.EraseAsync();

        Assert.Null((await lab.ReportAsync(expired)).VerifiedAt);
        Assert.NotNull((await lab.ReportAsync(denied)).VerifiedAt);
    }

    [Fact]
    public async Task While_staging_can_not_be_reached_a_revocation_is_accepted_and_verified_later()
    {
        await using var lab = await RevocationLab.StartAsync(loops: true, onS3: true);
        var batch = (await lab.AskAsync()).Batch;
        await Eventually.TrueAsync(async () => (await lab.FindAsync(batch)).ManifestExpiresAt is not null);
        lab.Proxy!.On(_ => true, Fault.S3Error(503, "ServiceUnavailable"));

        using var answer = await lab.Http.DeleteAsync($"/v1/batches/{batch}");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        var report = await answer.Content.ReadFromJsonAsync<RevocationReport>(ClaimCheckJson.Options);
        Assert.Equal((ExportState.Revoked, null), (report!.State, report.VerifiedAt));
        Assert.Equal(HttpStatusCode.Gone, (await lab.Http.GetAsync($"/v1/batches/{batch}/manifest")).StatusCode);

        lab.Proxy.Heal();
        await Eventually.TrueAsync(async () => (await lab.ReportAsync(batch)).VerifiedAt is not null);
        Assert.Empty(await lab.ObjectsAsync(batch));
        using var again = await lab.Http.DeleteAsync($"/v1/batches/{batch}");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task A_sweep_after_the_proof_removes_what_appears_and_says_so_until_a_day_has_passed()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var batch = await lab.ReadyAsync();
        await lab.RevokeAsync(batch);
        await lab.EraseAsync();
        var verified = (await lab.ReportAsync(batch)).VerifiedAt;
        Assert.NotNull(verified);

        var stray = Path.Combine(lab.Folder, StagingKeys.Batch(batch), "a1", "part-00001.csv.gz");
        Directory.CreateDirectory(Path.GetDirectoryName(stray)!);
        await File.WriteAllTextAsync(stray, "by hand");
        await lab.MakeDueAsync(batch);
        await lab.EraseAsync();
        Assert.False(File.Exists(stray));
        Assert.Contains(
            lab.Log.Lines, line => line.StartsWith($"A later sweep of batch {batch} found 1 objects", StringComparison.Ordinal));
        Assert.Equal(verified, (await lab.ReportAsync(batch)).VerifiedAt);
        Assert.Equal(4, (await lab.ReportAsync(batch)).Objects.Deleted);
        Assert.NotNull(await NextTryAsync(lab, batch));

        await lab.SqlAsync("UPDATE batch_deletions SET requested_at = now() - interval '24 hours 1 second', next_try_at = now()");
        await lab.EraseAsync();
        Assert.Null(await NextTryAsync(lab, batch));
    }

    [Fact]
    public async Task A_deletion_that_is_asked_for_again_during_a_late_sweep_is_verified_again()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var plan = await lab.LeaseAsync();
        await lab.RevokeAsync(plan.BatchId);
        await lab.EraseAsync();
        await lab.SqlAsync("UPDATE batch_deletions SET requested_at = now() - interval '25 hours', next_try_at = now()");
        var (sweeping, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        lab.Staging.Before = async (call, _) =>
        {
            if (call == "list" && sweeping.TrySetResult())
                await goOn.Task;
        };
        var sweep = lab.Get<BatchEraser>().EraseNextAsync(default);
        await sweeping.Task;
        await lab.RevokeAsync(plan.BatchId); // cancelled already: verified again
        goOn.SetResult();
        await sweep;

        await lab.EraseAsync();
        Assert.NotNull((await lab.ReportAsync(plan.BatchId)).VerifiedAt);
    }

    [Fact]
    public async Task A_refused_delete_is_tried_again_and_nothing_is_minted_meanwhile()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false, onS3: true);
        var batch = await lab.ReadyAsync();
        lab.Proxy!.On(request => request.IsDeletion, Fault.S3Error(403, "AccessDenied"));
        await lab.RevokeAsync(batch);
        await lab.EraseAsync();

        var report = await lab.ReportAsync(batch);
        Assert.Null(report.VerifiedAt);
        Assert.NotNull(report.Pending);
        Assert.Equal(3, (await lab.ObjectsAsync(batch)).Count);
        Assert.Equal(HttpStatusCode.Gone, (await lab.Http.GetAsync($"/v1/batches/{batch}/manifest")).StatusCode);

        lab.Proxy.Heal();
        await lab.MakeDueAsync(batch);
        await lab.EraseAsync();
        Assert.NotNull((await lab.ReportAsync(batch)).VerifiedAt);
        Assert.Empty(await lab.ObjectsAsync(batch));
    }

    // A one-byte read through a presigned link.
    private static bool IsProbe(ProxiedRequest request) =>
        request.Method == "GET" && request.Query.Contains("X-Amz-Signature=", StringComparison.Ordinal);

    private static async Task<DateTimeOffset?> NextTryAsync(RevocationLab lab, BatchId batch) =>
        (await lab.QueryAsync<DateTimeOffset?>(
            "SELECT next_try_at FROM batch_deletions WHERE batch_id = @Value", new { batch.Value }))[0];
}
