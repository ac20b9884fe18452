using System.Security.Cryptography;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Locations;

/// <summary>What holds of every kind of location, on a real server of each.</summary>
[Collection(LocationCollection.Name)]
public sealed class A_shared_location(LocationServers servers)
{
    public static TheoryData<string> Kinds => ["folder", "s3", "sftp", "webdav", "put"];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Shows_what_was_written_whole_and_says_that_it_holds_it(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        var content = RandomNumberGenerator.GetBytes(300_000);

        await WriteAsync(lab, "orders/2026-01-01/a b=c+d@e.csv", content);

        var seen = await lab.SeenAsync();
        Assert.Equal(content, Assert.Contains("orders/2026-01-01/a b=c+d@e.csv", (IDictionary<string, byte[]>)seen));
        Assert.Single(seen);
        Assert.True(await HoldsAsync(lab, "orders/2026-01-01/a b=c+d@e.csv", content));
        Assert.False(await HoldsAsync(lab, "orders/2026-01-01/a b=c+d@e.csv", [.. content, 1]));
        Assert.False(await HoldsAsync(lab, "orders/2026-01-01/other", content));
        Assert.Equal(content, await lab.Location.ReadAsync("orders/2026-01-01/a b=c+d@e.csv", default));
        if (lab.Location.CanList)
        {
            var file = Assert.Single(await lab.Location.ListAsync("orders/2026-01-01", default));
            Assert.Equal(("a b=c+d@e.csv", 300_000L, false), (file.Name, file.Bytes, file.IsFolder));
            Assert.True(Assert.Single(await lab.Location.ListAsync("orders", default)).IsFolder);
            Assert.Equal("orders", Assert.Single(await lab.Location.ListAsync("", default)).Name);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Reads_no_more_of_a_file_than_one_of_its_own_may_have(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        await lab.PlantAsync("a/.claimcheck", new byte[LocationLimits.FileBytes]);
        await lab.PlantAsync("b/.claimcheck", new byte[3 * LocationLimits.FileBytes]);

        Assert.Equal(LocationLimits.FileBytes, (await lab.Location.ReadAsync("a/.claimcheck", default))!.Length);
        var failure = await Assert.ThrowsAsync<LocationException>(() => lab.Location.ReadAsync("b/.claimcheck", default));
        Assert.Equal(LocationFailure.Refused, failure.Reason);
        Assert.Contains($"{LocationLimits.FileBytes} bytes", failure.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Notices_bytes_that_were_altered_under_an_equal_length(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        await WriteAsync(lab, "a/file", [1, 2, 3]);

        await lab.PlantAsync("a/file", [1, 2, 4]);

        Assert.False(await HoldsAsync(lab, "a/file", [1, 2, 3]));
        await WriteAsync(lab, "a/file", [1, 2, 3]);
        Assert.Equal([1, 2, 3], Assert.Single(await lab.SeenAsync()).Value);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Takes_empty_files_and_ones_of_many_parts(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        var large = RandomNumberGenerator.GetBytes((12 << 20) + 7);

        await WriteAsync(lab, "f/empty", []);
        await WriteAsync(lab, "f/large", large);

        var seen = await lab.SeenAsync();
        Assert.Empty(seen["f/empty"]);
        Assert.True(large.AsSpan().SequenceEqual(seen["f/large"]));
        Assert.True(await HoldsAsync(lab, "f/large", large));
        Assert.Equal(2, seen.Count);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Shows_nothing_of_a_source_that_is_not_what_was_announced(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        var content = RandomNumberGenerator.GetBytes(6 << 20);
        var sha256 = SHA256.HashData(content);

        foreach (var wrong in new[] { content[..^1], [.. content, 1], [.. content[..^1], (byte)(content[^1] ^ 1)] })
        {
            var failure = await Assert.ThrowsAsync<LocationException>(
                () => lab.Location.WriteAsync(
                    "f/part", _ => Task.FromResult<Stream>(new MemoryStream(wrong)), content.Length, sha256, default));
            Assert.Equal((LocationFailure.Altered, true), (failure.Reason, failure.IsTransient));
        }

        Assert.Empty(await lab.SeenAsync());
    }

    [Theory]
    [InlineData(300_000)] // in one request
    [InlineData(6 << 20)] // in parts
    public async Task A_bucket_refuses_what_was_altered_on_the_way_and_is_sent_it_again(int bytes)
    {
        await using var way = await FaultProxy.StartAsync(servers.S3.Url);
        await using var lab = await servers.NewAsync(
            "s3", options => options with { ServiceUrl = way.Url.GetLeftPart(UriPartial.Authority) });
        way.On(request => request.Method == "PUT", new Fault.CorruptRequest(100_000), times: 1);
        var content = RandomNumberGenerator.GetBytes(bytes);

        await WriteAsync(lab, "a/file", content);

        Assert.Equal(content, Assert.Single(await lab.SeenAsync()).Value);
        Assert.InRange(way.Count(request => request.Method == "PUT"), 2, 4);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Shows_nothing_of_a_write_that_was_cancelled_halfway(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        var content = RandomNumberGenerator.GetBytes(6 << 20);
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lab.Location.WriteAsync(
            "f/part", _ => Task.FromResult<Stream>(new CancellingStream(content, 3 << 20, stop)), content.Length,
            SHA256.HashData(content), stop.Token));

        Assert.Empty(await lab.SeenAsync());
        await WriteAsync(lab, "f/part", content);
        Assert.Single(await lab.SeenAsync());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Deletes_what_is_named_and_nothing_else_however_often(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        foreach (var name in new[] { "a", "b", "c" })
            await WriteAsync(lab, $"f/{name}", [1]);

        for (var i = 0; i < 2; i++)
            await lab.Location.DeleteAsync("f", ["a", "b", "never-there"], default);

        Assert.Equal(["f/c"], (await lab.SeenAsync()).Keys);
        await lab.Location.DeleteAsync("no/such/folder", ["a"], default);
        if (!lab.Location.CanList)
            return;
        for (var i = 0; i < 2; i++)
            await lab.Location.DeleteFolderAsync("f", default);
        Assert.Empty(await lab.SeenAsync());
        Assert.Empty(await lab.Location.ListAsync("f", default));
        Assert.Empty(await lab.Location.ListAsync("", default));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Has_nothing_where_nothing_is(string kind)
    {
        await using var lab = await servers.NewAsync(kind);

        Assert.Null(await lab.Location.ReadAsync("no/such/file", default));
        Assert.False(await HoldsAsync(lab, "no/such/file", []));
        if (lab.Location.CanList)
            Assert.Empty(await lab.Location.ListAsync("no/such", default));
        await lab.Location.CleanAsync("no/such", TimeSpan.Zero, default);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Is_checked_without_a_trace(string kind)
    {
        await using var lab = await servers.NewAsync(kind);

        await lab.Location.CheckAsync(default);

        Assert.Empty(await lab.SeenAsync());
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Refuses_paths_that_lead_elsewhere(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        foreach (var path in new[] { "../x", "a/../../x", "/etc/x", "a//x", "a/.", "", "a\nrm x", "a/\"x", "a'x", "a\\x", "a/*",
            "-x", "a?b", "é", "a/x ", "a/x." })
        {
            var failure = await Assert.ThrowsAsync<LocationException>(() => WriteAsync(lab, path, [1]));
            Assert.Equal((LocationFailure.Refused, false), (failure.Reason, failure.IsTransient));
            await Assert.ThrowsAsync<LocationException>(() => lab.Location.ReadAsync(path, default));
            await Assert.ThrowsAsync<LocationException>(() => lab.Location.DeleteAsync("f", [path], default));
        }
        Assert.Empty(await lab.SeenAsync());
    }

    [Theory, InlineData("folder"), InlineData("sftp"), InlineData("webdav")]
    public async Task Is_cleaned_of_what_dead_writers_left_and_of_nothing_else(string kind)
    {
        await using var lab = await servers.NewAsync(kind);
        string[] others = ["f/.hidden.partial", "f/.x.0123.partial", "f/part.partial", "f/x"];
        foreach (var path in others)
            await lab.PlantAsync(path, [1]);
        await lab.PlantAsync(LocationPath.Temporary("f/part"), [1]);

        await lab.Location.CleanAsync("f", TimeSpan.FromHours(1), default);
        Assert.Equal(5, (await lab.SeenAsync()).Count);

        await lab.Location.CleanAsync("f", TimeSpan.Zero, default);
        Assert.Equal(others.Order(StringComparer.Ordinal), (await lab.SeenAsync()).Keys);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task That_is_away_says_so_after_a_bounded_number_of_tries(string kind)
    {
        await using var lab = await servers.NewAsync(kind, options => options with
        {
            Path = kind is "folder" ? options.Path + "/gone" : options.Path,
            Port = 1,
            ServiceUrl = options.ServiceUrl is null ? null : "http://127.0.0.1:1",
            Url = options.Url is null ? null : "http://127.0.0.1:1/drop",
        });

        var failure = await Assert.ThrowsAsync<LocationException>(() => WriteAsync(lab, "f/part", [1]));
        Assert.Equal((LocationFailure.Away, true), (failure.Reason, failure.IsTransient));
        await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default));
    }

    [Theory, InlineData("s3"), InlineData("sftp"), InlineData("webdav"), InlineData("put")]
    public async Task That_does_not_accept_the_credentials_says_so_without_telling_them(string kind)
    {
        await using var lab = await servers.NewAsync(kind, options => options with
        {
            SecretKey = options.SecretKey is null ? null : "not-the-secret-key",
            IdentityFile = options.IdentityFile is null ? null : servers.Ssh.OtherKey,
            Headers = new Dictionary<string, string> { ["Authorization"] = "Bearer not-the-secret-key" },
        });

        var failure = await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default));

        Assert.Equal((LocationFailure.Denied, true), (failure.Reason, failure.IsTransient));
        Assert.DoesNotContain("not-the-secret-key", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-secret-key", lab.Options.ToString(), StringComparison.Ordinal);
    }

    private static Task WriteAsync(LocationLab lab, string path, byte[] content) => lab.Location.WriteAsync(
        path, _ => Task.FromResult<Stream>(new MemoryStream(content)), content.Length, SHA256.HashData(content), default);

    private static async Task<bool> HoldsAsync(LocationLab lab, string path, byte[] content)
    {
        var holding = await lab.Location.HoldsAsync(path, content.Length, SHA256.HashData(content), default);
        Assert.NotEqual(Holding.Unclear, holding);
        return holding == Holding.Same;
    }

    private sealed class CancellingStream(byte[] content, int at, CancellationTokenSource stop) : MemoryStream(content)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position >= at)
                await stop.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
            return await base.ReadAsync(buffer, cancellationToken);
        }
    }
}
