using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace ClaimCheck.Adapter.Locations;

/// <summary>Runs OpenSSH's own client programs, so that keys, ciphers and known hosts are those that the operator knows. Nothing is asked at a terminal.</summary>
internal sealed class SshClient(LocationOptions options) : IAsyncDisposable
{
    private readonly SshConnection connection = new();
    // A server has 10 sessions for a connection, where its operator says nothing else; one holds it.
    private readonly SemaphoreSlim sessions = new(8);

    // Of what a program writes; beyond it a listing has more entries than a folder of batches can have.
    private const int MostOutput = LocationLimits.ListingBytes;

    private string Account => $"{options.User}@{options.Host}";

    /// <summary>Runs commands of <c>sftp</c>. The first that fails, and is not marked with <c>-</c>, ends it.</summary>
    public Task<SshOutcome> SftpAsync(IEnumerable<string> commands, CancellationToken cancellationToken) =>
        ShareAsync(
            socket => StartOf("sftp", [.. Settings(socket), "-P", $"{options.Port}", "-b", "-", options.Host!.Contains(':') ? $"{options.User}@[{options.Host}]" : Account]),
            string.Join('\n', commands) + "\n", cancellationToken);

    /// <summary>Runs a command at the server, where the account may.</summary>
    public Task<SshOutcome> RunThereAsync(string command, CancellationToken cancellationToken) =>
        ShareAsync(socket => StartOf("ssh", [.. Settings(socket), "-p", $"{options.Port}", "-n", "-T", Account, command]), input: null, cancellationToken);

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private async Task<SshOutcome> ShareAsync(Func<string, ProcessStartInfo> start, string? input, CancellationToken cancellationToken)
    {
        await sessions.WaitAsync(cancellationToken);
        try
        {
            if (await connection.EnterAsync(Master, options.StallTimeout + TimeSpan.FromSeconds(30), cancellationToken) is { } failed)
                return failed;
            try
            {
                return await RunAsync(start(connection.Path), input, cancellationToken);
            }
            finally
            {
                connection.Leave();
            }
        }
        finally
        {
            sessions.Release();
        }
    }

    // Its own session reads from this process: the end of that ends it.
    private ProcessStartInfo Master(string socket) =>
        StartOf("ssh", [.. Settings(socket), "-M", "-p", $"{options.Port}", "-T", Account, "-s", "sftp"]);

    private IEnumerable<string> Settings(string socket)
    {
        var seconds = (int)Math.Ceiling(options.StallTimeout.TotalSeconds);
        string[] settings =
        [
            "BatchMode=yes", "StrictHostKeyChecking=yes", $"UserKnownHostsFile=\"{Escaped(options.KnownHostsFile!)}\"", "GlobalKnownHostsFile=/dev/null",
            $"IdentityFile=\"{Escaped(options.IdentityFile!)}\"", "IdentitiesOnly=yes", "IdentityAgent=none", "PreferredAuthentications=publickey",
            "UpdateHostKeys=no", "ClearAllForwardings=yes", $"ControlPath=\"{Escaped(socket)}\"", "PermitLocalCommand=no", "LogLevel=ERROR",
            $"ConnectTimeout={Math.Min(30, seconds)}", $"ServerAliveInterval={Math.Max(1, seconds / 3)}", "ServerAliveCountMax=3",
        ];
        // The user's own settings would make an adapter that is configured in two places.
        return ["-F", "none", .. settings.SelectMany(setting => new[] { "-o", setting })];
    }

    // ssh replaces its tokens in these settings.
    private static string Escaped(string path) => path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal);

    private static async Task<SshOutcome> RunAsync(ProcessStartInfo start, string? input, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var process = Start(start);
        try
        {
            var output = ReadAsync(process.StandardOutput, cancellationToken);
            var errors = ReadAsync(process.StandardError, cancellationToken);
            await FeedAsync(process.StandardInput, input, cancellationToken);
            // The first that fails ends the program: one whose output nobody reads any more would never end by itself.
            await foreach (var done in Task.WhenEach(output, errors, process.WaitForExitAsync(cancellationToken)))
                await done;
            return new SshOutcome(process.ExitCode, await output, (await errors).Trim());
        }
        catch
        {
            // sftp's own child, ssh, holds the connection.
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static ProcessStartInfo StartOf(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // Times and messages are parsed.
        (start.Environment["LC_ALL"], start.Environment["TZ"]) = ("C.UTF-8", "UTC");
        start.Environment.Remove("SSH_ASKPASS");
        start.Environment.Remove("SSH_AUTH_SOCK");
        return start;
    }

    public static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new LocationException(
                LocationFailure.Away, $"{start.FileName} can't be started: {e.Message}. Install OpenSSH's client (on Debian: openssh-client).", inner: e);
        }
    }

    private static async Task FeedAsync(StreamWriter to, string? input, CancellationToken cancellationToken)
    {
        try
        {
            if (input is not null)
                await to.WriteAsync(input.AsMemory(), cancellationToken);
            to.Close();
        }
        catch (IOException)
        {
            // It ended early; its exit code and errors say why.
        }
    }

    public static async Task<string> ReadAsync(StreamReader from, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[16 << 10];
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (text.Length + read > MostOutput)
                throw new LocationException(LocationFailure.Refused, $"The server said more than {MostOutput} characters: too many for a folder of batches.");
            text.Append(buffer, 0, read);
        }
        return text.ToString();
    }
}

/// <summary>How a client program ended.</summary>
internal sealed record SshOutcome(int ExitCode, string Output, string Errors)
{
    public bool IsSuccess => ExitCode == 0;

    /// <summary>It was not a command that failed, but the connection.</summary>
    public bool IsDisconnected => ExitCode == 255;

    public bool IsMissing =>
        Errors.Contains("not found", StringComparison.OrdinalIgnoreCase) || Errors.Contains("No such file", StringComparison.OrdinalIgnoreCase);

    /// <summary>What its exit code and last words mean.</summary>
    public LocationException Explain(string failed)
    {
        var last = Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault(line => !line.StartsWith("Connection closed", StringComparison.Ordinal))
            ?? (Errors.Length > 0 ? Errors : $"it ended with {ExitCode}");
        var text = $"{failed}: {new string([.. last.Where(c => !char.IsControl(c)).Take(300)]).TrimEnd('.')}";
        if (Has("REMOTE HOST IDENTIFICATION HAS CHANGED") || Has("Host key verification failed"))
            return new LocationException(LocationFailure.Denied, $"{failed}: the server's key is not the one in KnownHostsFile. Nothing was sent to it.");
        if (Has("UNPROTECTED PRIVATE KEY") || Has("bad permissions"))
            return new LocationException(LocationFailure.Denied, $"{failed}: others may read IdentityFile, and so ssh does not use it. Make it readable by this process alone (chmod 600).");
        if (Has("Permission denied (") || Has("Too many authentication failures"))
            return new LocationException(LocationFailure.Denied, $"{failed}: the account is not accepted with the key in IdentityFile.");
        if (Has("Permission denied"))
            return new LocationException(LocationFailure.Denied, $"{text}. Grant the account the right.");
        if (Has("No space left") || Has("quota", StringComparison.OrdinalIgnoreCase))
            return new LocationException(LocationFailure.Full, $"{text}. Free some space.");
        // SFTP version 3 has no word for a full disk: OpenSSH's server says "Failure" then.
        if (Has("write remote") && Has("Failure"))
            return new LocationException(LocationFailure.Full, $"{text}, which is what a full disk or quota is called there. Free some space.");
        return new LocationException(LocationFailure.Away, $"{text}.");
    }

    private bool Has(string text, StringComparison comparison = StringComparison.Ordinal) => Errors.Contains(text, comparison);
}
