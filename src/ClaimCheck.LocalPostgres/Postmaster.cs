namespace ClaimCheck.LocalPostgres;

/// <summary>What <c>postmaster.pid</c> in a database's folder says about the server that wrote it.</summary>
internal sealed record Postmaster(int Pid, string SocketFolder)
{
    public static string FileOf(string data) => Path.Combine(data, "postmaster.pid");

    /// <returns>Null where the file does not exist, or is not complete yet.</returns>
    public static Postmaster? Read(string data)
    {
        try
        {
            // The file's lines: pid, data directory, start time, port, socket folder, listen address, shared memory, status.
            var lines = File.ReadAllLines(FileOf(data));
            return lines.Length >= 5 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid) && pid > 1
                ? new Postmaster(pid, lines[4])
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether that process lives and serves these very data. The pid alone proves nothing: after a crash or a reboot
    /// it may belong to any process.
    /// </summary>
    public async Task<bool> ServesAsync(string data, CancellationToken cancellationToken)
    {
        if (!Directory.Exists("/proc/self"))
        {
            var ps = await SystemCommand.RunAsync(["ps", "-o", "command=", "-p", $"{Pid}"], pgData: null, cancellationToken);
            return ps.Succeeded && ps.Output.Contains("postgres", StringComparison.Ordinal);
        }

        try
        {
            // A postmaster's working folder is its data directory. Comparing the file as seen through it works with
            // symbolic links; a zombie has no working folder.
            return File.ReadAllText($"/proc/{Pid}/comm").Contains("postgres", StringComparison.Ordinal)
                && File.ReadAllText(FileOf($"/proc/{Pid}/cwd")) == File.ReadAllText(FileOf(data));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Whether any process has the pid.</summary>
    public async Task<bool> IsTakenAsync(CancellationToken cancellationToken) =>
        Directory.Exists("/proc/self")
            ? Directory.Exists($"/proc/{Pid}")
            : (await SystemCommand.RunAsync(["ps", "-p", $"{Pid}"], pgData: null, cancellationToken)).Succeeded;
}
