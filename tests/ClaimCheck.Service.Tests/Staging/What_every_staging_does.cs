using System.Net;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>What holds of any staging.</summary>
public abstract class What_every_staging_does
{
    internal abstract Task<StagingLab> NewLabAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData((5 << 20) + 0)]
    [InlineData((40 << 20) + 3)]
    public async Task What_was_written_is_read_back(int bytes)
    {
        await using var lab = await NewLabAsync();
        var content = StagingLab.Content(bytes);
        await using (var writer = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default)))
        {
            var buffer = new byte[70_001]; // reused: the bytes must have been copied before a call returns
            foreach (var some in content.Chunk(buffer.Length))
            {
                some.CopyTo(buffer, 0);
                await writer.WriteAsync(buffer.AsMemory(0, some.Length), default);
            }
            await writer.CompleteAsync(default);
        }

        Assert.Equal(new StagedObject(lab.Key, null, bytes), Assert.Single(await lab.ListAsync()) with { VersionId = null });
        Assert.Equal(content, await lab.ReadAsync(lab.Key, 0, bytes));
        using var response = await StagingLab.GetAsync(await lab.LinkAsync(lab.Key));
        Assert.Equal(content, await response.Content.ReadAsByteArrayAsync());
        Assert.Empty(await lab.ListUploadsAsync());
    }

    [Fact]
    public async Task Nothing_is_seen_of_an_object_before_it_is_complete()
    {
        await using var lab = await NewLabAsync();
        var upload = await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default);
        await using var writer = lab.Staging.OpenWriter(upload);
        await writer.WriteAsync(StagingLab.Content(6 << 20), default);

        Assert.Empty(await lab.ListAsync());
        Assert.True((await Assert.ThrowsAsync<StagingException>(() => lab.ReadAsync(lab.Key, 0, 1))).IsMissing);
        using var response = await StagingLab.GetAsync(await lab.LinkAsync(lab.Key));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(upload, Assert.Single(await lab.ListUploadsAsync()));
    }

    [Fact]
    public async Task A_completion_after_an_abort_fails_and_leaves_nothing()
    {
        await using var lab = await NewLabAsync();
        var upload = await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default);
        await using var writer = lab.Staging.OpenWriter(upload);
        await writer.WriteAsync(StagingLab.Content(1000), default);

        await lab.Staging.AbortAsync(upload, default);

        await Assert.ThrowsAsync<StagingException>(() => writer.CompleteAsync(default));
        Assert.Empty(await lab.ListAsync());
        Assert.Empty(await lab.ListUploadsAsync());
    }

    [Fact]
    public async Task An_aborted_rewrite_is_not_taken_for_the_earlier_object_of_the_same_size()
    {
        await using var lab = await NewLabAsync();
        var manifest = StagingKeys.Manifest(lab.Batch);
        await lab.StoreAsync(manifest, new byte[1000]);
        var upload = await lab.Staging.BeginAsync(manifest, StagedContent.Json("manifest.json"), default);
        await using var writer = lab.Staging.OpenWriter(upload);
        await writer.WriteAsync(StagingLab.Content(1000), default);
        await lab.Staging.AbortAsync(upload, default);

        await Assert.ThrowsAsync<StagingException>(() => writer.CompleteAsync(default));
        Assert.Equal(new byte[1000], await lab.ReadAsync(manifest, 0, 1000));
    }

    [Fact]
    public async Task A_writer_that_is_disposed_before_completion_aborts_its_upload()
    {
        await using var lab = await NewLabAsync();
        await using (var writer = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default)))
            await writer.WriteAsync(StagingLab.Content(12 << 20), default);

        Assert.Empty(await lab.ListUploadsAsync());
        Assert.Empty(await lab.ListAsync());
    }

    [Fact]
    public async Task Aborting_what_is_gone_or_complete_is_no_error()
    {
        await using var lab = await NewLabAsync();
        var upload = await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default);
        await using (var writer = lab.Staging.OpenWriter(upload))
            await writer.CompleteAsync(default);

        await lab.Staging.AbortAsync(upload, default);
        await lab.Staging.AbortAsync(upload, default);

        Assert.Single(await lab.ListAsync());
    }

    [Fact]
    public async Task Uploads_and_objects_are_listed_by_prefix()
    {
        await using var lab = await NewLabAsync();
        var other = StagingKeys.File(lab.Batch, "a2", "part-00001.csv.gz");
        var upload = await lab.Staging.BeginAsync(other, StagedContent.Json("x.json"), default);
        await lab.StoreAsync(lab.Key, [1]);
        await lab.StoreAsync(StagingKeys.Manifest(lab.Batch), [1, 2]);

        Assert.Equal([lab.Key, StagingKeys.Manifest(lab.Batch)], (await lab.ListAsync()).Select(found => found.Key).Order());
        Assert.Equal(
            [lab.Key],
            await lab.Staging.ListAsync(StagingKeys.Attempt(lab.Batch, "a1"), default).Select(found => found.Key).ToListAsync());
        Assert.Equal([upload], await lab.Staging.ListUploadsAsync(StagingKeys.Attempt(lab.Batch, "a2"), default).ToListAsync());
        Assert.Empty(await lab.Staging.ListUploadsAsync(StagingKeys.Attempt(lab.Batch, "a1"), default).ToListAsync());
        Assert.Contains(
            other, await lab.Staging.ListUploadsAsync(StagingKeys.Root, default).Select(found => found.Key).ToListAsync());
    }

    [Fact]
    public async Task A_link_is_dead_once_its_object_is_deleted()
    {
        await using var lab = await NewLabAsync();
        await lab.StoreAsync(lab.Key, StagingLab.Content(1000));
        var (link, probe) = (await lab.LinkAsync(lab.Key), await lab.LinkAsync(lab.Key, audience: LinkAudience.Probe));
        using var before = await StagingLab.GetAsync(probe, "bytes=0-0");

        var objects = await lab.ListAsync();
        await lab.Staging.DeleteAsync(objects, default);
        await lab.Staging.DeleteAsync(objects, default);

        Assert.Equal(HttpStatusCode.PartialContent, before.StatusCode);
        Assert.Empty(await lab.ListAsync());
        foreach (var dead in new[] { link, probe })
        {
            using var after = await StagingLab.GetAsync(dead, "bytes=0-0");
            Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
        }
    }

    [Fact]
    public async Task A_range_is_read()
    {
        await using var lab = await NewLabAsync();
        var content = StagingLab.Content(300_000);
        await lab.StoreAsync(lab.Key, content);

        Assert.Equal(content[100_000..200_000], await lab.ReadAsync(lab.Key, 100_000, 100_000));
        Assert.Equal(content[299_999..], await lab.ReadAsync(lab.Key, 299_999, 1));
        Assert.Empty(await lab.ReadAsync(lab.Key, 0, 0));
        using var response = await StagingLab.GetAsync(await lab.LinkAsync(lab.Key), "bytes=5-9");
        Assert.Equal(content[5..10], await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_file_says_what_it_is_and_is_not_unpacked_on_the_way()
    {
        await using var lab = await NewLabAsync();
        await lab.StoreAsync(lab.Key, StagingLab.Content(1000));

        using var response = await StagingLab.GetAsync(await lab.LinkAsync(lab.Key));

        Assert.Equal("application/gzip", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("attachment", response.Content.Headers.ContentDisposition?.DispositionType);
        Assert.Equal("part-00001.csv.gz", response.Content.Headers.ContentDisposition?.FileName?.Trim('"'));
        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.NotNull(response.Headers.ETag);
        Assert.Contains("bytes", response.Headers.AcceptRanges);
    }

    [Fact]
    public async Task A_link_works_until_the_moment_that_was_said_and_not_after_it()
    {
        await using var lab = await NewLabAsync();
        await lab.StoreAsync(lab.Key, [1, 2, 3]);
        var signed = await lab.Staging.SignAsync(lab.Key, TimeSpan.FromSeconds(5), LinkAudience.Consumer, "GET", default);
        using var early = await StagingLab.GetAsync(signed.Link.Reveal());
        Assert.Equal(HttpStatusCode.OK, early.StatusCode);
        Assert.InRange(signed.ExpiresAt, TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddSeconds(6));

        var deadline = signed.ExpiresAt.AddSeconds(5);
        HttpStatusCode status;
        do
        {
            using var response = await StagingLab.GetAsync(signed.Link.Reveal());
            status = response.StatusCode;
            if (TimeProvider.System.GetUtcNow() < signed.ExpiresAt.AddSeconds(-0.5))
                Assert.Equal(HttpStatusCode.OK, status);
        }
        while (status == HttpStatusCode.OK && TimeProvider.System.GetUtcNow() < deadline);

        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.True(TimeProvider.System.GetUtcNow() >= signed.ExpiresAt.AddSeconds(-0.5));
    }

    [Fact]
    public async Task An_altered_link_is_refused()
    {
        await using var lab = await NewLabAsync();
        var other = StagingKeys.File(lab.Batch, "a1", "part-00002.csv.gz");
        await lab.StoreAsync(lab.Key, [1]);
        await lab.StoreAsync(other, [2]);
        var link = await lab.LinkAsync(lab.Key);
        var altered = new[]
        {
            link.Replace("part-00001", "part-00002", StringComparison.Ordinal),
            link[..^1] + (link[^1] == 'A' ? 'B' : 'A'),
            link.Split('?')[0] + "?" + string.Join('&', link.Split('?')[1].Split('&').Select(part =>
                part.StartsWith("X-Amz-Expires=", StringComparison.Ordinal) ? "X-Amz-Expires=604800"
                : part.StartsWith("expires=", StringComparison.Ordinal) ? "expires=4102444800" : part)),
            link + "&x-id=GetObject",
        };

        foreach (var url in altered)
        {
            using var response = await StagingLab.GetAsync(url);
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_link_for_HEAD_shows_the_head_and_gives_nothing()
    {
        await using var lab = await NewLabAsync();
        await lab.StoreAsync(lab.Key, [1, 2, 3]);
        var signed = await lab.Staging.SignAsync(lab.Key, TimeSpan.FromMinutes(5), LinkAudience.Consumer, "HEAD", default);

        using var head = await StagingLab.GetAsync(signed.Link.Reveal(), method: HttpMethod.Head);
        using var get = await StagingLab.GetAsync(signed.Link.Reveal());

        Assert.Equal((HttpStatusCode.OK, 3L), (head.StatusCode, head.Content.Headers.ContentLength));
        Assert.Equal(HttpStatusCode.Forbidden, get.StatusCode);
    }

    [Fact]
    public async Task A_link_lives_seven_days_at_most()
    {
        await using var lab = await NewLabAsync();

        var longest = await lab.Staging.SignAsync(lab.Key, TimeSpan.FromDays(7), LinkAudience.Consumer, "GET", default);

        Assert.InRange(longest.ExpiresAt - TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1),
            TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));
        Assert.DoesNotContain("Signature=", longest.Link.Reveal().Replace("X-Amz-Signature=", "", StringComparison.Ordinal),
            StringComparison.Ordinal);
        Assert.StartsWith("http://", longest.Link.Reveal(), StringComparison.Ordinal);
        foreach (var wrong in new[] { TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1), TimeSpan.Zero, TimeSpan.FromSeconds(-1) })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
                () => lab.Staging.SignAsync(lab.Key, wrong, LinkAudience.Consumer, "GET", default));
        }
    }

    [Fact]
    public async Task A_cancelled_write_ends_at_once_and_its_upload_is_aborted_all_the_same()
    {
        await using var lab = await NewLabAsync();
        using var cancelled = new CancellationTokenSource();
        await using (var writer = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default)))
        {
            await writer.WriteAsync(StagingLab.Content(1000), cancelled.Token);
            await cancelled.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writer.CompleteAsync(cancelled.Token));
        }

        Assert.Empty(await lab.ListUploadsAsync());
        Assert.Empty(await lab.ListAsync());
    }
}
