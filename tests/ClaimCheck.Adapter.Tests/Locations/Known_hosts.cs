using ClaimCheck.Adapter.Locations;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Locations;

public sealed class Known_hosts
{
    private const string Key = "AAAAC3NzaC1lZDI1NTE5AAAAIKhNRjS/mQsCecl3ABYiNHxZ7mxbAW3GtlA0iSwEENA9";
    private const string Other = "AAAAC3NzaC1lZDI1NTE5AAAAIMi+PodbUzTrD2RCBVfevYTTTzMkY+xbsaKcE21cu01r";
    private const string Ecdsa =
        "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=";

    [Theory]
    [InlineData("files.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.Known))]
    [InlineData("other.example,Files.Example ssh-ed25519 KEY with a comment", 22, nameof(HostKeyVerdict.Known))]
    [InlineData("*.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.Known))]
    [InlineData("fil?s.*,!files.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.UnknownHost))]
    [InlineData("[files.example]:2222\tssh-ed25519 KEY", 2222, nameof(HostKeyVerdict.Known))]
    [InlineData("files.example ssh-ed25519 KEY", 2222, nameof(HostKeyVerdict.Known))]
    [InlineData("files.example ssh-ed25519 OTHER", 2222, nameof(HostKeyVerdict.UnknownHost))]
    [InlineData("[files.example]:2222 ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.UnknownHost))]
    [InlineData("files.example ssh-ed25519 OTHER", 22, nameof(HostKeyVerdict.Changed))]
    [InlineData("files.example ssh-ed25519 OTHER\nfiles.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.Known))]
    [InlineData("files.example ecdsa-sha2-nistp256 ECDSA", 22, nameof(HostKeyVerdict.UnknownType))]
    [InlineData("@revoked * ssh-ed25519 KEY\nfiles.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.Revoked))]
    [InlineData("@revoked other.example ssh-ed25519 KEY\nfiles.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.Known))]
    [InlineData("@cert-authority files.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.UnknownHost))]
    [InlineData("@new-marker files.example ssh-ed25519 KEY", 22, nameof(HostKeyVerdict.UnknownHost))]
    [InlineData("# files.example ssh-ed25519 KEY\n\nfiles.example ssh-ed25519\nfiles.example ssh-rsa KEY\nfiles.example "
        + "ssh-ed25519 not-base64",
        22, nameof(HostKeyVerdict.UnknownHost))]
    [InlineData("", 22, nameof(HostKeyVerdict.UnknownHost))]
    public void Tell_a_server_s_key_from_another_s(string text, int port, string expected)
    {
        var hosts = KnownHosts.Parse(text.Replace("KEY", Key, StringComparison.Ordinal)
            .Replace("OTHER", Other, StringComparison.Ordinal).Replace("ECDSA", Ecdsa, StringComparison.Ordinal));

        Assert.Equal(
            expected,
            hosts.Judge("FILES.example", port, Convert.FromBase64String(Key), null, TimeProvider.System.GetUtcNow()).ToString());
    }

    [Fact]
    public async Task Are_read_as_ssh_keygen_hashes_them()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, $"files.example ssh-ed25519 {Key}\n[files.example]:2222 ssh-ed25519 {Other}\n");
            Assert.Equal(0, (await S3Endpoint.RunAsync("ssh-keygen", ["-q", "-H", "-f", file])).ExitCode);
            var text = await File.ReadAllTextAsync(file);
            Assert.DoesNotContain("example", text, StringComparison.Ordinal);

            var hosts = KnownHosts.Parse(text);

            Assert.Equal(HostKeyVerdict.Known, Judge(hosts, "files.example", 22, Key));
            Assert.Equal(HostKeyVerdict.Changed, Judge(hosts, "files.example", 22, Other));
            Assert.Equal(HostKeyVerdict.Known, Judge(hosts, "files.example", 2222, Other));
            Assert.Equal(HostKeyVerdict.UnknownHost, Judge(hosts, "other.example", 22, Key));
            Assert.Equal(["ssh-ed25519"], hosts.AlgorithmsOf("files.example", 22));
        }
        finally
        {
            File.Delete(file);
            File.Delete(file + ".old");
        }
    }

    private static HostKeyVerdict Judge(KnownHosts hosts, string host, int port, string key) =>
        hosts.Judge(host, port, Convert.FromBase64String(key), null, TimeProvider.System.GetUtcNow());
}
