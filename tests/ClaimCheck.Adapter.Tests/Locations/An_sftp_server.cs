using System.Security.Cryptography;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Locations;

/// <summary>Who the server is, who the account is, and what both agree on: against OpenSSH's own server.</summary>
[Collection(LocationCollection.Name)]
public sealed class An_sftp_server(LocationServers servers)
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(6 << 20);

    [Theory, InlineData("ed25519", ""), InlineData("rsa", ""), InlineData("ecdsa", "with a passphrase"), InlineData("rsa", "p")]
    public async Task Accepts_keys_of_each_type_and_encrypted_ones(string type, string passphrase)
    {
        var key = await servers.Ssh.NewKeyAsync(type, passphrase);
        await using var lab = await servers.NewAsync(
            "sftp", options => options with { IdentityFile = key, Passphrase = passphrase.Length == 0 ? null : passphrase });

        await lab.Location.CheckAsync(default);

        if (passphrase.Length == 0)
            return;
        foreach (var wrong in new[] { null, "another one" })
        {
            await using var without = SharedLocations.Create(lab.Options with { Passphrase = wrong });
            var failure = await Assert.ThrowsAsync<LocationException>(() => without.CheckAsync(default));
            Assert.Equal(LocationFailure.Denied, failure.Reason);
            Assert.Contains("Passphrase", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("another one", failure.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Accepts_a_key_by_the_certificate_that_lies_beside_it()
    {
        await using var server = await SshServer.StartAsync(settings: "TrustedUserCAKeys {folder}/authority.pub");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.OtherKey, KnownHostsFile = server.KnownHosts });
        Assert.Equal(
            LocationFailure.Denied, (await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default))).Reason);

        await server.CertifyAsync(server.OtherKey);

        await lab.Location.CheckAsync(default);
    }

    [Fact]
    public async Task Is_not_shown_a_key_that_others_can_read()
    {
        var key = await servers.Ssh.NewKeyAsync("ed25519");
        await using var lab = await servers.NewAsync("sftp", options => options with { IdentityFile = key });
        Assert.Equal(0, (await S3Endpoint.RunAsync("chmod", ["604", key])).ExitCode);

        Assert.Contains(
            "chmod 600",
            (await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task That_refuses_the_password_is_told_from_one_that_is_away()
    {
        await using var server = await SshServer.StartAsync(settings: "PasswordAuthentication yes\nPubkeyAuthentication no");
        await using var lab = await servers.NewAsync("sftp", options => options with
        {
            Port = server.Port,
            KnownHostsFile = server.KnownHosts,
            IdentityFile = null,
            Password = "not-the-secret-key",
        });

        var failure = await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default));

        Assert.Equal(LocationFailure.Denied, failure.Reason);
        Assert.Contains("is not accepted with the password", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-secret-key", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "KnownHostsFile has no key of this server")]
    [InlineData("NAME OTHER", "is not the one in KnownHostsFile: it was changed")]
    [InlineData("@revoked * KEY\nNAME KEY", "is revoked")]
    public async Task Whose_key_is_not_known_changed_or_revoked_is_sent_nothing(string text, string expected)
    {
        var file = await servers.Ssh.KnownHostsOfAsync(
            text.Replace("NAME", $"[127.0.0.1]:{servers.Ssh.Port}", StringComparison.Ordinal)
                .Replace("KEY", servers.Ssh.HostKey, StringComparison.Ordinal)
                .Replace("OTHER", servers.Ssh.OtherHostKey, StringComparison.Ordinal));
        await using var lab = await servers.NewAsync("sftp", options => options with { KnownHostsFile = file });

        var failure = await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default));

        Assert.Equal((LocationFailure.Denied, true), (failure.Reason, failure.IsTransient));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Contains("SHA256:", failure.Message, StringComparison.Ordinal);
        // Once it is there it is used, without a restart.
        await File.WriteAllTextAsync(file, $"127.0.0.1 {servers.Ssh.HostKey}");
        await lab.Location.CheckAsync(default);
    }

    [Fact]
    public async Task Is_known_by_its_certificate_for_its_name_alone()
    {
        await using var server = await SshServer.StartAsync(settings: "HostCertificate {folder}/host-cert.pub");
        var known = await server.KnownHostsOfAsync($"@cert-authority 127.0.0.1,localhost {server.Authority}");
        await using var lab = await servers.NewAsync(
            "sftp", options => options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = known });

        await lab.Location.CheckAsync(default);

        await using var elsewhere = SharedLocations.Create(lab.Options with { Host = "localhost" });
        Assert.Contains("not for this name",
            (await Assert.ThrowsAsync<LocationException>(() => elsewhere.CheckAsync(default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shows_the_key_that_is_known_where_it_has_several()
    {
        var ecdsa = await servers.Ssh.NewKeyAsync("ecdsa");
        await using var both = await SshServer.StartAsync(settings: $"HostKey {ecdsa}");
        var known = await both.KnownHostsOfAsync(
            $"127.0.0.1 {string.Join(' ', (await File.ReadAllTextAsync(ecdsa + ".pub")).Split(' ')[..2])}");
        await using var lab = await servers.NewAsync(
            "sftp", options => options with { Port = both.Port, IdentityFile = both.Key, KnownHostsFile = known });

        await lab.Location.CheckAsync(default);
    }

    [Theory]
    [InlineData("KexAlgorithms diffie-hellman-group14-sha1", "key exchange", "KexAlgorithms", "+diffie-hellman-group14-sha1")]
    [InlineData("Ciphers aes256-cbc", "encryption", "Ciphers", "aes256-cbc")]
    public async Task That_speaks_no_algorithm_of_ours_says_which_it_does_and_can_be_met(
        string settings, string reason, string setting, string chosen)
    {
        await using var server = await SshServer.StartAsync(settings: settings);
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });

        var failure = await Assert.ThrowsAsync<LocationException>(() => lab.Location.CheckAsync(default));

        Assert.Equal((LocationFailure.Away, true), (failure.Reason, failure.IsTransient));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"server offers {settings.Split(' ')[1]}", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"{setting} sets it", failure.Message, StringComparison.Ordinal);
        await using var met = SharedLocations.Create(
            setting == "Ciphers" ? lab.Options with { Ciphers = [chosen] } : lab.Options with { KexAlgorithms = [chosen] });
        await met.CheckAsync(default);
    }

    [Fact]
    public async Task That_is_cut_off_during_a_file_gets_it_whole_over_a_new_connection()
    {
        await using var relay = new Relay(servers.Ssh.Port);
        var known = await servers.Ssh.KnownHostsOfAsync($"127.0.0.1 {servers.Ssh.HostKey}");
        await using var lab = await servers.NewAsync(
            "sftp", options => options with { Port = relay.Port, KnownHostsFile = known, Verify = "length" });
        var opened = 0;

        await lab.Location.WriteAsync(
            "f/part",
            _ => Task.FromResult<Stream>(++opened == 1 ? new Cutting(Content, 3 << 20, relay.Cut) : new MemoryStream(Content)),
            Content.Length, SHA256.HashData(Content), default);

        Assert.Equal(Content, Assert.Single(await lab.SeenAsync()).Value);
        Assert.Equal(2, opened);
        Assert.True(relay.Connections >= 2);
    }

    [Fact]
    public async Task That_renames_onto_nothing_and_shows_no_listing_gets_each_file_once()
    {
        await using var server = await SshServer.StartAsync("internal-sftp -P posix-rename,opendir");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });
        await lab.PlantAsync("f/part", [1]);

        await lab.Location.WriteAsync(
            "f/part", _ => Task.FromResult<Stream>(new MemoryStream(Content)), Content.Length, SHA256.HashData(Content), default);

        Assert.Equal(Content, Assert.Single(await lab.SeenAsync()).Value);
        Assert.Equal(Holding.Same, await lab.Location.HoldsAsync("f/part", Content.Length, SHA256.HashData(Content), default));
        Assert.Equal(LocationFailure.Denied, (await Assert.ThrowsAsync<LocationException>(
            () => lab.Location.ListAsync("f", default))).Reason);
    }

    [Fact]
    public async Task That_shows_nothing_of_what_it_took_is_sent_no_more_of_it()
    {
        await using var server = await SshServer.StartAsync("internal-sftp -P lstat,stat,fstat,read");
        await using var lab = await servers.NewAsync("sftp", options =>
            options with { Port = server.Port, IdentityFile = server.Key, KnownHostsFile = server.KnownHosts });
        Directory.CreateDirectory(Path.Combine(lab.Options.Path!, "f"));
        var opened = 0;

        var failure = await Assert.ThrowsAsync<LocationException>(() => lab.Location.WriteAsync(
            "f/part", _ => Task.FromResult<Stream>(new MemoryStream(++opened > 0 ? Content : [])), Content.Length,
            SHA256.HashData(Content), default));

        Assert.Equal((LocationFailure.Unclear, false, 1), (failure.Reason, failure.IsTransient, opened));
        Assert.Empty(await lab.SeenAsync());
    }

    private sealed class Cutting(byte[] content, int at, Action cut) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position >= at)
                cut();
            return base.ReadAsync(buffer, cancellationToken);
        }
    }
}
