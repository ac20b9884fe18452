using System.Security.Cryptography;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Locations;

[Collection(LocationCollection.Name)]
public sealed class An_sftp_location(LocationServers servers)
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(200_000);

    [Fact]
    public async Task Lies_in_a_folder_of_any_name()
    {
        await using var lab = await servers.NewAsync(
            "sftp", options => options with { Path = options.Path + "/in \"box\" \\ 'of' [crm] *" });
        Directory.CreateDirectory(lab.Options.Path!);

        await lab.Location.CheckAsync(default);
        await WriteAsync(lab.Location, "orders/a b");

        Assert.Equal(Content, (await lab.SeenAsync())["orders/a b"]);
        Assert.Equal(
            Holding.Same, await lab.Location.HoldsAsync("orders/a b", Content.Length, SHA256.HashData(Content), default));
        Assert.Equal("a b", Assert.Single(await lab.Location.ListAsync("orders", default)).Name);
        await lab.Location.DeleteFolderAsync("orders", default);
        Assert.Empty(Directory.GetFileSystemEntries(lab.Options.Path!));
    }

    [Fact]
    public async Task Sends_nothing_to_a_server_whose_key_is_not_known()
    {
        await using var other = await SshServer.StartAsync();
        await using var lab = await servers.NewAsync("sftp", options => options with { KnownHostsFile = other.KnownHosts });

        var failure = await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default));

        Assert.Equal(LocationFailure.Denied, failure.Reason);
        Assert.Contains("KnownHostsFile", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<LocationException>(() => WriteAsync(lab.Location, "a"));
        Assert.Empty(await lab.SeenAsync());
    }

    [Fact]
    public async Task Reads_back_where_the_account_may_run_no_commands()
    {
        await using var server = await SshServer.StartAsync("internal-sftp");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });
        await using var strict = SharedLocations.Create(lab.Options with { Verify = "checksum" });

        await WriteAsync(lab.Location, "f/a");

        Assert.Equal(Content, (await lab.SeenAsync())["f/a"]);
        Assert.Equal(Holding.Same, await lab.Location.HoldsAsync("f/a", Content.Length, SHA256.HashData(Content), default));
        await WriteAsync(strict, "f/b");
        Assert.Equal(["f/a", "f/b"], (await lab.SeenAsync()).Keys);
        await lab.PlantAsync("f/a", [.. Content[..^1], (byte)(Content[^1] ^ 1)]);
        Assert.Equal(Holding.Other, await lab.Location.HoldsAsync("f/a", Content.Length, SHA256.HashData(Content), default));
    }

    [Fact]
    public async Task That_may_not_be_written_to_says_so()
    {
        await using var server = await SshServer.StartAsync("internal-sftp -R");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });
        await lab.PlantAsync("f/there", Content);

        Assert.Equal(
            LocationFailure.Denied, (await Assert.ThrowsAsync<LocationException>(() => WriteAsync(lab.Location, "f/a"))).Reason);
        Assert.Equal(
            LocationFailure.Denied, (await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default))).Reason);
        Assert.Equal(LocationFailure.Denied, (await Assert.ThrowsAsync<LocationException>(
            () => lab.Location.DeleteAsync("f", ["there"], default))).Reason);
    }

    [Fact]
    public async Task That_has_no_room_says_so_and_shows_nothing()
    {
        // The server's process may write files of 64 KiB at most, and says then what it says when a disk is full.
        await using var server = await SshServer.StartAsync(
            "sh -c 'trap \"\" XFSZ; ulimit -f 64; exec /usr/lib/openssh/sftp-server'");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });

        var failure = await Assert.ThrowsAsync<LocationException>(() => WriteAsync(lab.Location, "f/a"));

        Assert.Equal((LocationFailure.Full, true), (failure.Reason, failure.IsTransient));
        Assert.Empty(await lab.SeenAsync());
    }

    [Fact]
    public async Task Ends_a_call_at_once_that_a_server_never_answers()
    {
        await using var server = await SshServer.StartAsync("sleep 613");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });
        using var stop = new CancellationTokenSource();

        var call = lab.Location.ListAsync("f", stop.Token);
        await Eventually.TrueAsync(() => Task.FromResult(Commands("sleep 613").Count > 0)); // it is logged in, and waits
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task Links_by_the_address_of_the_file()
    {
        await using var lab = await servers.NewAsync("sftp");
        await using var home = SharedLocations.Create(lab.Options with { Path = "in box" });
        await using var elsewhere = SharedLocations.Create(lab.Options with { PublicUrl = "https://files.example/in/" });

        var start = $"sftp://{Environment.UserName}@127.0.0.1:{servers.Ssh.Port}";
        Assert.Equal($"{start}{lab.Options.Path}/f/a%20b", await lab.Location.LinkAsync("f/a b", TimeSpan.FromHours(1), default));
        Assert.Equal($"{start}/~/in%20box/f/a", await home.LinkAsync("f/a", TimeSpan.FromHours(1), default));
        Assert.Equal("https://files.example/in/f/a", await elsewhere.LinkAsync("f/a", TimeSpan.FromHours(1), default));
    }

    private static Task WriteAsync(ISharedLocation location, string path) =>
        location.WriteAsync(
            path, _ => Task.FromResult<Stream>(new MemoryStream(Content)), Content.Length, SHA256.HashData(Content), default);

    private static List<string> Commands(string text) =>
    [
        .. Directory.GetDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _)).Where(folder =>
        {
            try
            {
                return File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ')
                    .Contains(text, StringComparison.Ordinal);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }),
    ];
}
