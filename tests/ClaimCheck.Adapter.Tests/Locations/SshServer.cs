using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Locations;

/// <summary>OpenSSH's own server on loopback, with keys of its own, run by the user that runs the tests. Goes with
/// the test process.</summary>
internal sealed class SshServer : IAsyncDisposable
{
    private readonly string folder;
    private readonly Process guard;

    private SshServer(int port, string? force, string settings, string folder)
    {
        this.folder = folder;
        Port = port;
        var config = Path.Combine(folder, $"sshd-{port}.conf");
        File.WriteAllText(config, $"""
            Port {port}
            ListenAddress 127.0.0.1
            HostKey {Path.Combine(folder, "host")}
            AuthorizedKeysFile {Path.Combine(folder, "account.pub")}
            PidFile none
            UsePAM no
            StrictModes no
            PermitRootLogin yes
            KbdInteractiveAuthentication no
            MaxStartups 100
            Subsystem sftp internal-sftp
            {(force is null ? "" : "ForceCommand " + force)}
            {settings}

            """);
        // The shell waits for the end of its input, which is the end of the test process, and then stops the server.
        var start = new ProcessStartInfo("sh")
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in (string[])["-c",
            """exec 3<&0; "$@" </dev/null 3<&- & server=$!; { cat >/dev/null; kill $server; } <&3 >/dev/null 2>&1 & wait $server""",
            "sh", "/usr/sbin/sshd", "-D", "-e", "-f", config])
            start.ArgumentList.Add(argument);
        guard = Process.Start(start)!;
        guard.ErrorDataReceived += (_, _) => { };
        guard.BeginErrorReadLine();
    }

    public int Port { get; }

    public string KnownHosts => Path.Combine(folder, $"known-{Port}");

    public string Key => Path.Combine(folder, "account");

    public string OtherKey => Path.Combine(folder, "other");

    /// <summary>The type of the host's key and the key, as known_hosts has them.</summary>
    public string HostKey => string.Join(' ', File.ReadAllText(Path.Combine(folder, "host.pub")).Split(' ')[..2]);

    /// <summary>The public half of another key, to be taken for the host's.</summary>
    public string OtherHostKey => string.Join(' ', File.ReadAllText(Path.Combine(folder, "other.pub")).Split(' ')[..2]);

    /// <summary>Whose certificate the host has, where the settings name it.</summary>
    public string Authority => string.Join(' ', File.ReadAllText(Path.Combine(folder, "authority.pub")).Split(' ')[..2]);

    /// <summary>Writes a known_hosts file of its own.</summary>
    public async Task<string> KnownHostsOfAsync(string text)
    {
        var file = Path.Combine(folder, $"known-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    /// <summary>Has the authority sign an account's key; the certificate is beside it.</summary>
    public async Task CertifyAsync(string key) => Assert.Equal(
        0, (await S3Endpoint.RunAsync("ssh-keygen", ["-q", "-s", Path.Combine(folder, "authority"), "-I", "account", "-n",
            Environment.UserName, key + ".pub"])).ExitCode);

    /// <summary>Makes a key that the server's account accepts.</summary>
    public async Task<string> NewKeyAsync(string type, string passphrase = "")
    {
        var file = Path.Combine(folder, $"key-{Guid.NewGuid():N}");
        Assert.Equal(0, (await S3Endpoint.RunAsync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-f", file])).ExitCode);
        await File.AppendAllTextAsync(Path.Combine(folder, "account.pub"), await File.ReadAllTextAsync(file + ".pub"));
        return file;
    }

    /// <param name="force">What every session runs instead of what it asks for.</param>
    /// <param name="settings">More of sshd's settings.</param>
    public static async Task<SshServer> StartAsync(string? force = null, string settings = "PasswordAuthentication no")
    {
        if (!File.Exists("/usr/sbin/sshd"))
            throw new InvalidOperationException("No SFTP server was found to test with: install openssh-server (apt-get install "
                + "-y --no-install-recommends openssh-server).");
        var keys = Directory.CreateTempSubdirectory("claimcheck-sshd-").FullName;
        foreach (var name in new[] { "host", "account", "other" })
            Assert.Equal(0, (await S3Endpoint.RunAsync(
                "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(keys, name)])).ExitCode);
        // An authority's signature on the host's key, for 127.0.0.1.
        Assert.Equal(0, (await S3Endpoint.RunAsync(
            "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(keys, "authority")])).ExitCode);
        Assert.Equal(0, (await S3Endpoint.RunAsync("ssh-keygen", ["-q", "-s", Path.Combine(keys, "authority"), "-I", "host", "-h",
            "-n", "127.0.0.1", Path.Combine(keys, "host.pub")])).ExitCode);
        if (Environment.IsPrivilegedProcess)
            Directory.CreateDirectory("/run/sshd"); // root's sshd asks for it; the system makes it at boot
        // A free port may be taken by someone else before sshd binds it.
        for (var attempt = 1; ; attempt++)
        {
            var server = new SshServer(FreePort(), force, settings.Replace("{folder}", keys, StringComparison.Ordinal), keys);
            var host = await File.ReadAllTextAsync(Path.Combine(keys, "host.pub"));
            await File.WriteAllTextAsync(server.KnownHosts, $"[127.0.0.1]:{server.Port} {host}");
            await Eventually.TrueAsync(async () => server.guard.HasExited || await AnswersAsync(server.Port));
            if (!server.guard.HasExited)
                return server;
            server.guard.Dispose();
            if (attempt == 3)
                throw new InvalidOperationException(
                    $"The SFTP server for tests did not start: try /usr/sbin/sshd -D -e -f {keys}/sshd-{server.Port}.conf");
        }
    }

    public async ValueTask DisposeAsync()
    {
        guard.StandardInput.Close();
        await guard.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        guard.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
