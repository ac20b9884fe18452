namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Has an SSH server compute a file's checksum, where the account may run commands there: over a connection of its own.
/// </summary>
internal sealed class RemoteChecksum(LocationOptions options, SshAccess access, TimeProvider time) : IAsyncDisposable
{
    private const int LongestAnswer = 4 << 10;
    private const int SlowestBytesPerSecond = 10 << 20;
    private static readonly TimeSpan RefusalLasts = TimeSpan.FromMinutes(10);

    private readonly SshClients<SshClient> clients = new(access, info => new SshClient(info), time);
    private long refusedUntil;

    /// <returns>Null where the server does not tell: commands are refused, replaced by others, or see other files.</returns>
    public async Task<bool?> IsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow().UtcTicks < Volatile.Read(ref refusedUntil))
            return null;
        var patience = options.StallTimeout + TimeSpan.FromSeconds(bytes / SlowestBytesPerSecond);
        try
        {
            // sync first, where the server's supports files: the final name must not promise what a power failure could still
            // destroy.
            var said = await clients.UseAsync(
                ssh => RunAsync(ssh, $"sync {Quoted(path)} 2>/dev/null; sha256sum < {Quoted(path)}", patience, cancellationToken),
                cancellationToken);
            if (said.Split(' ', 2)[0].Trim() is { Length: 64 } digest && digest.All(char.IsAsciiHexDigit))
                return Convert.FromHexString(digest).AsSpan().SequenceEqual(sha256.Span);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            _ = e; // A server may refuse commands, or a second connection, in many ways; files may be pushed in any case.
        }

        cancellationToken.ThrowIfCancellationRequested();
        Volatile.Write(ref refusedUntil, (time.GetUtcNow() + RefusalLasts).UtcTicks);
        return null;
    }

    public ValueTask DisposeAsync() => clients.DisposeAsync();

    private static async Task<string> RunAsync(SshClient ssh, string text, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        enough.CancelAfter(patience);
        using var command = ssh.CreateCommand(text);
        var ended = command.ExecuteAsync(enough.Token);
        var said = ReadAsync(command.OutputStream, enough);
        var complaints = ReadAsync(command.ExtendedOutputStream, enough);
        await ended;
        await complaints;
        return command.ExitStatus == 0 ? await said : "";
    }

    // A server may send anything, for ever.
    private static async Task<string> ReadAsync(Stream from, CancellationTokenSource enough)
    {
        var (text, buffer) = (new MemoryStream(), new byte[1 << 10]);
        while (await from.ReadAsync(buffer, enough.Token) is > 0 and var read)
        {
            text.Write(buffer, 0, read);
            if (text.Length > LongestAnswer)
                await enough.CancelAsync();
        }

        return Encoding.ASCII.GetString(text.ToArray());
    }

    // As a shell quotes it.
    private static string Quoted(string path) => $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
