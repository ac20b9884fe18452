using System.Net.Sockets;
using Renci.SshNet.Common;
using Renci.SshNet.Messages.Transport;
using ConnectionInfo = Renci.SshNet.ConnectionInfo;

namespace ClaimCheck.Adapter.Locations;

/// <summary>Connects to an SSH server with a location's account: keys, certificate, password; known hosts; algorithms.</summary>
internal sealed class SshAccess(LocationOptions options, TimeProvider time)
{
    private const int LargestKnownHosts = 16 << 20;
    private static readonly TimeSpan LongestConnecting = TimeSpan.FromSeconds(30);

    /// <param name="make">Creates the client.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="LocationException">It can't be connected to; the message says why.</exception>
    public async Task<T> ConnectAsync<T>(Func<ConnectionInfo, T> make, CancellationToken cancellationToken)
        where T : BaseClient
    {
        var failed = $"sftp://{options.Host}:{options.Port} can't be used";
        var knownHosts = await KnownHostsAsync(failed, cancellationToken);
        var info = InfoOf(failed);
        SshAlgorithms.Choose(info, options, knownHosts.AlgorithmsOf(options.Host!, options.Port));
        var client = make(info);
        client.KeepAliveInterval = options.StallTimeout / 3;
        string? refusal = null;
        client.HostKeyReceived += (_, shown) =>
        {
            var verdict = knownHosts.Judge(options.Host!, options.Port, shown.HostKey, shown.Certificate, time.GetUtcNow());
            refusal = Refusal(verdict, shown);
            shown.CanTrust = refusal is null;
        };
        try
        {
            // What follows the handshake blocks its thread, and does not observe the token.
            await Task.Run(() => client.ConnectAsync(cancellationToken), CancellationToken.None).WaitAsync(cancellationToken);
            return client;
        }
        catch (Exception e)
        {
            client.Dispose();
            if (refusal is not null)
                throw new LocationException(LocationFailure.Denied, $"{failed}: {refusal} Nothing was sent to it.", inner: e);
            throw e is OperationCanceledException ? e : Explain(e, failed);
        }
    }

    /// <summary>Whether the connection failed, and not a call.</summary>
    public static bool IsDisconnected(Exception e) =>
        e is SshConnectionException or SshOperationTimeoutException or SocketException or ObjectDisposedException or IOException;

    /// <summary>Explains a failure of the library.</summary>
    public LocationException Explain(Exception e, string failed) => e switch
    {
        LocationException known => known,
        SshAuthenticationException => new(
            LocationFailure.Denied, $"{failed}: the account is not accepted with {Means()}: {Said(e)}.", inner: e),
        SshConnectionException { DisconnectReason: DisconnectReason.KeyExchangeFailed } => new(
            LocationFailure.Away, $"{failed}: {Said(e, 800)}; {SshAlgorithms.Advice(e.Message, options)}.", inner: e),
        SftpPermissionDeniedException =>
            new(LocationFailure.Denied, $"{failed}: {Said(e)}. Grant the account the right.", inner: e),
        SshException when Has(e, "No space left") || Has(e, "quota") =>
            new(LocationFailure.Full, $"{failed}: {Said(e)}. Free some space.", inner: e),
        SshOperationTimeoutException =>
            new(LocationFailure.Away, $"{failed}: nothing moved for {options.StallTimeout}.", inner: e),
        ObjectDisposedException => new(LocationFailure.Away, $"{failed}: the connection was lost.", inner: e),
        _ => new(LocationFailure.Away, $"{failed}: {Said(e)}.", inner: e),
    };

    private static bool Has(Exception e, string text) => e.Message.Contains(text, StringComparison.OrdinalIgnoreCase);

    // A server's messages are not under our control.
    private static string Said(Exception e, int most = 300) =>
        new string([.. e.Message.Where(c => !char.IsControl(c)).Take(most)]).Trim().TrimEnd('.');

    private static string? Refusal(HostKeyVerdict verdict, HostKeyEventArgs shown)
    {
        var key = $"It shows {shown.HostKeyName} SHA256:{shown.FingerPrintSHA256}.";
        return verdict switch
        {
            HostKeyVerdict.Known => null,
            HostKeyVerdict.UnknownHost =>
                $"KnownHostsFile has no key of this server. {key} Compare it with the one that its operator states, and add it.",
            HostKeyVerdict.UnknownType => $"KnownHostsFile has keys of this server, but none of this type. {key} Compare it with "
                + "the one that its operator states, and add it.",
            HostKeyVerdict.Changed =>
                $"the server's key is not the one in KnownHostsFile: it was changed, or someone else answers in its place. {key} "
                + "Replace it only if its operator says so.",
            HostKeyVerdict.Revoked => $"KnownHostsFile says that the server's key is revoked. {key}",
            _ => $"the server's certificate is not for this name and time. {key} Its operator must renew it.",
        };
    }

    private async Task<KnownHosts> KnownHostsAsync(string failed, CancellationToken cancellationToken)
    {
        try
        {
            // Read each time: the operator may have added a key meanwhile.
            if (new FileInfo(options.KnownHostsFile!).Length > LargestKnownHosts)
                throw new IOException($"it has more than {LargestKnownHosts} bytes");
            return KnownHosts.Parse(await File.ReadAllTextAsync(options.KnownHostsFile!, cancellationToken));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LocationException(LocationFailure.Denied, $"{failed}: KnownHostsFile can't be read: {e.Message}", inner: e);
        }
    }

    private ConnectionInfo InfoOf(string failed)
    {
        var methods = new List<AuthenticationMethod>();
        if (options.IdentityFile is not null)
            methods.Add(new PrivateKeyAuthenticationMethod(options.User!, KeyOf(failed)));
        if (options.Password is { } password)
        {
            methods.Add(new PasswordAuthenticationMethod(options.User!, password));
            // Many servers ask for it in a prompt, through PAM.
            var questions = new KeyboardInteractiveAuthenticationMethod(options.User!);
            questions.AuthenticationPrompt += (_, asked) =>
            {
                foreach (var prompt in asked.Prompts.Where(prompt => !prompt.IsEchoed))
                    prompt.Response = password;
            };
            methods.Add(questions);
        }

        return new ConnectionInfo(options.Host!, options.Port, options.User!, [.. methods])
        {
            Timeout = options.StallTimeout < LongestConnecting ? options.StallTimeout : LongestConnecting,
        };
    }

    private PrivateKeyFile KeyOf(string failed)
    {
        var file = options.IdentityFile!;
        try
        {
            const UnixFileMode others = UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & others) != UnixFileMode.None)
            {
                throw new LocationException(
                    LocationFailure.Denied, $"{failed}: others may read or change IdentityFile, and so it is not used. Make it "
                        + "readable by this process alone (chmod 600).");
            }

            // As ssh does: the certificate is beside its key.
            var certificate = options.CertificateFile ?? (File.Exists(file + "-cert.pub") ? file + "-cert.pub" : null);
            return certificate is null
                ? new PrivateKeyFile(file, options.Passphrase)
                : new PrivateKeyFile(file, options.Passphrase, certificate);
        }
        catch (SshPassPhraseNullOrEmptyException e)
        {
            throw new LocationException(
                LocationFailure.Denied, $"{failed}: the key in IdentityFile is encrypted. Set Passphrase.", inner: e);
        }
        catch (Exception e) when (e is SshException or CryptographicException or ArgumentException or FormatException
            or IOException or UnauthorizedAccessException)
        {
            // Its message may reveal the key.
            throw new LocationException(
                LocationFailure.Denied,
                $"{failed}: IdentityFile{(options.CertificateFile is null ? "" : " or CertificateFile")} can't be read as a key" +
                $"{(options.Passphrase is null ? "" : ", or Passphrase is wrong")} ({e.GetType().Name}).");
        }
    }

    private string Means() => (options.IdentityFile, options.Password) switch
    {
        (not null, not null) => "the key in IdentityFile and the password",
        (null, _) => "the password",
        _ => "the key in IdentityFile",
    };
}
