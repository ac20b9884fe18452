using System.Security.Cryptography;
using ClaimCheck.Adapter.Locations;

namespace ClaimCheck.Adapter.Tests.Locations;

[Collection(LocationCollection.Name)]
public sealed class Locations_behind_http(LocationServers servers)
{
    private static readonly byte[] Content = [1, 2, 3];

    [Theory]
    [InlineData(307, "Away")]
    [InlineData(403, "Denied")]
    [InlineData(507, "Full")]
    [InlineData(413, "Full")]
    [InlineData(503, "Away")]
    public async Task A_refused_put_says_why_and_is_tried_again(int status, string expected)
    {
        await using var server = await PutServer.StartAsync(webDav: false);
        server.Refusal = request => request.Method == "PUT" ? status : null;
        var options = LocationServers.Http(server, "drop", webDav: false) with
        {
            MaxAttempts = 3,
            RetryDelay = TimeSpan.FromMilliseconds(5),
        };
        await using var location = SharedLocations.Create(options);

        var failure = await Assert.ThrowsAsync<LocationException>(() => WriteAsync(location));

        Assert.Equal((expected, true), ($"{failure.Reason}", failure.IsTransient));
        Assert.Equal(3, server.Requests.Count(request => request == "PUT drop/f/a"));
        Assert.DoesNotContain(server.Requests, request => request.Contains("elsewhere", StringComparison.Ordinal));
        Assert.DoesNotContain("Bearer", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_put_that_fails_once_succeeds_with_the_whole_body()
    {
        await using var server = await PutServer.StartAsync(webDav: true);
        var left = 1;
        server.Refusal = request => request.Method == "PUT" && Interlocked.Decrement(ref left) >= 0 ? 500 : null;
        await using var location = SharedLocations.Create(
            LocationServers.Http(server, "drop", webDav: true) with { RetryDelay = TimeSpan.FromMilliseconds(5) });

        await WriteAsync(location);

        Assert.Equal(Content, Assert.Single(server.Files).Value.Content);
        Assert.Equal(
            new Uri(server.Address, "drop/f/a").AbsoluteUri, await location.LinkAsync("f/a", TimeSpan.FromHours(1), default));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_target_that_tells_nothing_by_HEAD_is_read_back_and_one_that_shows_nothing_is_put_to_once(bool isRead)
    {
        await using var server = await PutServer.StartAsync(webDav: false);
        server.Refusal = request => request.Method == "HEAD" || (request.Method == "GET" && !isRead) ? 405 : null;
        await using var location = SharedLocations.Create(
            LocationServers.Http(server, "drop", webDav: false) with { RetryDelay = TimeSpan.FromMilliseconds(5) });

        if (isRead)
        {
            await WriteAsync(location);
            Assert.Equal(Holding.Same, await location.HoldsAsync("f/a", Content.Length, SHA256.HashData(Content), default));
            Assert.Equal(Holding.Other, await location.HoldsAsync("f/a", Content.Length, SHA256.HashData([1, 2, 4]), default));
            Assert.Equal(Holding.Other, await location.HoldsAsync("f/b", Content.Length, SHA256.HashData(Content), default));
        }
        else
        {
            var failure = await Assert.ThrowsAsync<LocationException>(() => WriteAsync(location));
            Assert.Equal((LocationFailure.Unclear, false), (failure.Reason, failure.IsTransient));
        }

        Assert.Single(server.Requests, request => request == "PUT drop/f/a");
    }

    [Fact]
    public async Task A_bucket_s_link_is_presigned_and_reads_the_file()
    {
        await using var lab = await servers.NewAsync("s3");
        await WriteAsync(lab.Location);

        var link = await lab.Location.LinkAsync("f/a", TimeSpan.FromDays(30), default);

        using var http = new HttpClient();
        Assert.Equal(Content, await http.GetByteArrayAsync(link));
        Assert.Contains("X-Amz-Expires=604", link, StringComparison.Ordinal); // seven days: S3 takes no longer ones
    }

    [Fact]
    public async Task Uploads_that_dead_writers_left_in_a_bucket_are_aborted()
    {
        await using var lab = await servers.NewAsync("s3");
        await servers.S3.Client.InitiateMultipartUploadAsync(lab.Options.Bucket, $"{lab.Options.Path}/f/part");

        await lab.Location.CleanAsync("f", TimeSpan.FromHours(1), default);
        Assert.Single((await servers.S3.Client.ListMultipartUploadsAsync(lab.Options.Bucket)).MultipartUploads);
        await lab.Location.CleanAsync("f", TimeSpan.FromSeconds(-60), default);
        Assert.Empty((await servers.S3.Client.ListMultipartUploadsAsync(lab.Options.Bucket)).MultipartUploads ?? []);
    }

    [Fact]
    public async Task A_symbolic_link_in_a_shared_folder_is_not_followed()
    {
        await using var lab = await servers.NewAsync("folder");
        var elsewhere = Directory.CreateTempSubdirectory("claimcheck-elsewhere-").FullName;
        Directory.CreateSymbolicLink(Path.Combine(lab.Options.Path!, "f"), elsewhere);

        Assert.Equal(
            LocationFailure.Denied, (await Assert.ThrowsAsync<LocationException>(() => WriteAsync(lab.Location))).Reason);

        Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
        Directory.Delete(elsewhere);
    }

    private static Task WriteAsync(ISharedLocation location) =>
        location.WriteAsync(
            "f/a", _ => Task.FromResult<Stream>(new MemoryStream(Content)), Content.Length, SHA256.HashData(Content), default);
}
