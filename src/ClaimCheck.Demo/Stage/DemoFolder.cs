using System.Globalization;

namespace ClaimCheck.Demo.Stage;

/// <summary>
/// A data directory for one run, so that two concurrent demos do not collide. It is removed at the end, with what a killed
/// service left.
/// </summary>
internal sealed class DemoFolder
{
    public DemoFolder()
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"claimcheck-demo-{Guid.NewGuid().ToString("N")[..12]}");
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path);
            return;
        }
        // Others may pass through, not list: as root the service runs its database as another user.
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
    }

    public string Path { get; }

    public string Log => System.IO.Path.Combine(Path, "service.log");

    /// <summary>Saves the log before the folder is removed.</summary>
    public string KeepLog()
    {
        var kept = Path + ".log";
        if (File.Exists(Log))
            File.Copy(Log, kept, overwrite: true);
        return kept;
    }

    public async Task RemoveAsync()
    {
        // Where the account that runs the database can't enter here, its data are elsewhere.
        var homes = new List<string> { System.IO.Path.Combine(Path, "postgres") };
        var location = System.IO.Path.Combine(Path, "postgres.location");
        if (File.Exists(location) && (await File.ReadAllTextAsync(location)).Trim() is { Length: > 0 } elsewhere)
            homes.Add(elsewhere);
        foreach (var home in homes.Where(Directory.Exists))
        {
            await StopDatabaseAsync(System.IO.Path.Combine(home, "data"));
            Delete(home);
        }
        Delete(Path);
    }

    // Only after a service that had to be killed: otherwise it has stopped its database itself.
    private static async Task StopDatabaseAsync(string data)
    {
        var pidFile = System.IO.Path.Combine(data, "postmaster.pid");
        if (!File.Exists(pidFile))
            return;
        var lines = await File.ReadAllLinesAsync(pidFile);
        if (lines.Length < 2 || lines[1] != data || !int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid))
            return;
        Signals.SendInterrupt(pid);
        var watch = Stopwatch.StartNew();
        while (File.Exists(pidFile) && watch.Elapsed < TimeSpan.FromSeconds(10))
            await Task.Delay(50);
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{folder} could not be removed: {e.Message}");
        }
    }
}
