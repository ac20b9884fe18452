using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Staging;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>The endpoint that hands out the folder's files.</summary>
public sealed class Serving_staged_files
{
    private const int Length = 1000;

    [Theory]
    [InlineData("bytes=0-0", 206, 0, 0)]
    [InlineData("bytes=0-999", 206, 0, 999)]
    [InlineData("bytes=0-", 206, 0, 999)]
    [InlineData("bytes=999-", 206, 999, 999)]
    [InlineData("bytes=500-499999", 206, 500, 999)]
    [InlineData("bytes=-1", 206, 999, 999)]
    [InlineData("bytes=-1000", 206, 0, 999)]
    [InlineData("bytes=-5000", 206, 0, 999)]
    [InlineData("bytes=100-199", 206, 100, 199)]
    [InlineData("bytes=1000-", 416, 0, 0)]
    [InlineData("bytes=1000-2000", 416, 0, 0)]
    [InlineData("bytes=99999999999-", 416, 0, 0)]
    [InlineData("bytes=-0", 416, 0, 0)]
    [InlineData("bytes=5-4", 200, 0, 0)]
    [InlineData("bytes=a-b", 200, 0, 0)]
    [InlineData("bytes", 200, 0, 0)]
    [InlineData("lines=0-5", 200, 0, 0)]
    [InlineData("bytes=0-1,5-6", 200, 0, 0)]
    [InlineData("bytes=0-99999999999999999999999999", 200, 0, 0)]
    public async Task Ranges_are_answered_as_RFC_9110_says(string range, int status, int from, int to)
    {
        await using var lab = await FolderLab.NewAsync();
        var content = StagingLab.Content(Length);
        await lab.StoreAsync(lab.Key, content);

        using var response = await StagingLab.GetAsync(await lab.LinkAsync(lab.Key), range);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        if (status == 416)
        {
            Assert.Equal($"bytes */{Length}", response.Content.Headers.ContentRange?.ToString());
            await AssertProblemAsync(response, ProblemCodes.RangeNotSatisfiable);
            return;
        }
        var expected = status == 206 ? content[from..(to + 1)] : content;
        Assert.Equal(expected, await response.Content.ReadAsByteArrayAsync());
        Assert.Equal(expected.Length, response.Content.Headers.ContentLength);
        if (status == 206)
            Assert.Equal($"bytes {from}-{to}/{Length}", response.Content.Headers.ContentRange?.ToString());
    }

    [Fact]
    public async Task A_resumed_download_gets_the_same_file_or_nothing()
    {
        await using var lab = await FolderLab.NewAsync();
        await lab.StoreAsync(lab.Key, StagingLab.Content(Length));
        var link = await lab.LinkAsync(lab.Key);
        using var first = await StagingLab.GetAsync(link);
        var tag = first.Headers.ETag!.ToString();
        Assert.False(first.Headers.ETag.IsWeak);

        using var same = await StagingLab.GetAsync(link, "bytes=10-19", null, ("If-Match", tag));
        using var sameIfRange = await StagingLab.GetAsync(link, "bytes=10-19", null, ("If-Range", tag));
        using var other = await StagingLab.GetAsync(link, "bytes=10-19", null, ("If-Match", "\"other\""));
        using var oddIfRange = await StagingLab.GetAsync(link, "bytes=10-19", null, ("If-Range", "nonsense"));
        Assert.Equal(HttpStatusCode.OK, oddIfRange.StatusCode);
        using var otherIfRange = await StagingLab.GetAsync(link, "bytes=10-19", null, ("If-Range", "\"other\""));
        using var known = await StagingLab.GetAsync(link, null, null, ("If-None-Match", tag));

        Assert.Equal(HttpStatusCode.PartialContent, same.StatusCode);
        Assert.Equal(HttpStatusCode.PartialContent, sameIfRange.StatusCode);
        Assert.Equal(HttpStatusCode.PreconditionFailed, other.StatusCode);
        await AssertProblemAsync(other, ProblemCodes.PreconditionFailed);
        Assert.Equal(HttpStatusCode.OK, otherIfRange.StatusCode);
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
    }

    [Fact]
    public async Task A_rewritten_file_has_another_ETag()
    {
        await using var lab = await FolderLab.NewAsync();
        var link = await lab.LinkAsync(lab.Key);
        await lab.StoreAsync(lab.Key, StagingLab.Content(Length));
        using var first = await StagingLab.GetAsync(link);
        await lab.StoreAsync(lab.Key, new byte[Length]);
        using var second = await StagingLab.GetAsync(link);

        Assert.NotEqual(first.Headers.ETag, second.Headers.ETag);
    }

    [Fact]
    public async Task HEAD_answers_what_GET_would()
    {
        await using var lab = await FolderLab.NewAsync();
        await lab.StoreAsync(lab.Key, StagingLab.Content(Length));
        var link = await lab.LinkAsync(lab.Key);

        using var get = await StagingLab.GetAsync(link);
        using var head = await StagingLab.GetAsync(link, null, HttpMethod.Head);
        using var post = await StagingLab.GetAsync(link, null, HttpMethod.Post);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(Length, head.Content.Headers.ContentLength);
        Assert.Equal(get.Headers.ETag, head.Headers.ETag);
        Assert.Equal(get.Content.Headers.ContentType, head.Content.Headers.ContentType);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_manifest_that_follows_ready_is_waited_for(bool isRevoked)
    {
        await using var lab = await FolderLab.NewAsync(time: new StoppedWatch());
        var key = StagingKeys.Manifest(lab.Batch);
        var asking = StagingLab.GetAsync(await lab.LinkAsync(key));
        await Eventually.TrueAsync(() => Task.FromResult(lab.States.Asked > 1)); // it was ready, and the file not there
        if (isRevoked)
            lab.States.Revoke(lab.Batch);
        else
            await lab.StoreAsync(key, StagingLab.Content(Length));

        using var response = await asking;

        Assert.Equal(isRevoked ? HttpStatusCode.NotFound : HttpStatusCode.OK, response.StatusCode);
        using var part = await StagingLab.GetAsync(await lab.LinkAsync(lab.Key)); // nobody waits for other files
        Assert.Equal(HttpStatusCode.NotFound, part.StatusCode);
    }

    [Theory]
    [InlineData("part-00001.csv", "text/csv")]
    [InlineData("part-00001.csv.gz", "application/gzip")]
    [InlineData("part-00001.ndjson", "application/x-ndjson")]
    [InlineData("part-00001.index.json", "application/json")]
    public async Task The_type_follows_from_the_name(string name, string type)
    {
        await using var lab = await FolderLab.NewAsync();
        var key = StagingKeys.File(lab.Batch, "a1", name);
        await lab.StoreAsync(key, [1]);

        using var response = await StagingLab.GetAsync(await lab.LinkAsync(key));

        Assert.Equal(type, response.Content.Headers.ContentType?.ToString());
        Assert.Equal(name, response.Content.Headers.ContentDisposition?.FileName?.Trim('"'));
    }

    [Fact]
    public async Task Refusals_are_problems_with_codes()
    {
        var time = new Clock();
        await using var lab = await FolderLab.NewAsync(time: time);
        await lab.StoreAsync(lab.Key, [1]);
        var link = await lab.LinkAsync(lab.Key);

        using var unsigned = await StagingLab.GetAsync($"{lab.Url}/staging/{lab.Key}");
        using var doubled = await StagingLab.GetAsync(link + "&expires=4102444800");
        using var unknownKey = await StagingLab.GetAsync(link.Replace("kid=", "kid=0", StringComparison.Ordinal));
        using var missing = await StagingLab.GetAsync(await lab.LinkAsync(StagingKeys.Manifest(lab.Batch)));
        time.Ahead = TimeSpan.FromMinutes(6);
        using var expired = await StagingLab.GetAsync(link);

        foreach (var refusal in new[] { unsigned, doubled, unknownKey })
        {
            Assert.Equal(HttpStatusCode.Forbidden, refusal.StatusCode);
            await AssertProblemAsync(refusal, ProblemCodes.LinkInvalid);
        }
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        await AssertProblemAsync(missing, ProblemCodes.NotFound);
        Assert.Equal(HttpStatusCode.Forbidden, expired.StatusCode);
        await AssertProblemAsync(expired, ProblemCodes.LinkExpired);
    }

    [Fact]
    public async Task A_batch_that_is_not_ready_is_not_found_while_its_files_still_lie_there()
    {
        await using var lab = await FolderLab.NewAsync();
        await lab.StoreAsync(lab.Key, [1]);
        var link = await lab.LinkAsync(lab.Key);
        lab.States.Revoke(lab.Batch);

        using var response = await StagingLab.GetAsync(link);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        await AssertProblemAsync(response, ProblemCodes.NotFound);
    }

    [Fact]
    public async Task A_running_download_is_cut_off_soon_after_its_batch_is_revoked()
    {
        await using var lab = await FolderLab.NewAsync();
        await lab.StoreAsync(lab.Key, StagingLab.Content(64 << 20));
        using var response = await StagingLab.GetAsync(await lab.LinkAsync(lab.Key));
        await using var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1000]);

        var watch = Stopwatch.StartNew();
        lab.States.Revoke(lab.Batch); // while the reader, which reads no further, holds the server's next write up
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await lab.IdleAsync(deadline.Token);

        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(60)); // half a second, and what a busy machine adds
        // What is in the buffers on the way may still come, but not the whole.
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, deadline.Token));
    }

    [Theory]
    [InlineData("/staging/../link-keys.json")]
    [InlineData("/staging/%2e%2e/link-keys.json")]
    [InlineData("/staging/..%2flink-keys.json")]
    [InlineData("/staging/batches/..%2f..%2f..%2flink-keys.json")]
    [InlineData("/staging//etc/passwd")]
    [InlineData("/staging/batches/%00")]
    [InlineData("/staging/")]
    [InlineData("/staging")]
    public async Task No_path_leads_out_of_the_folder(string path)
    {
        await using var lab = await FolderLab.NewAsync();
        _ = await lab.LinkAsync(lab.Key); // there are keys to steal
        var status = await RawGetAsync(new Uri(lab.Url), path + "?expires=4102444800&kid=a&sig=b");

        Assert.Contains(status, new[] { 400, 403, 404 });
    }

    private static async Task<int> RawGetAsync(Uri server, string target)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {server.Authority}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return int.Parse((await reader.ReadLineAsync())!.Split(' ')[1]);
    }

    private static async Task AssertProblemAsync(HttpResponseMessage response, string code)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<Problem>(ClaimCheckJson.Options);
        Assert.Equal(code, problem!.Code);
        Assert.Equal((int)response.StatusCode, problem.Status);
        Assert.EndsWith("/problems/" + code, problem.Type, StringComparison.Ordinal);
    }

    /// <summary>For it no wait is ever too long.</summary>
    private sealed class StoppedWatch : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Ahead;
    }
}
