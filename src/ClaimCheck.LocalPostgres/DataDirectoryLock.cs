namespace ClaimCheck.LocalPostgres;

/// <summary>
/// Allows one service at a time to use a data directory. The lock is the kernel's (flock), so it ends with the process, however
/// that ends; children don't inherit it. The pid is in a file beside it, because a locked file can't be read.
/// </summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream locked;
    private readonly string holderFile;

    private DataDirectoryLock(FileStream locked, string holderFile) => (this.locked, this.holderFile) = (locked, holderFile);

    public static DataDirectoryLock Take(string dataDirectory)
    {
        var pidFile = Path.Combine(dataDirectory, "service.pid");
        try
        {
            Directory.CreateDirectory(dataDirectory);
            var lockFile = Path.Combine(dataDirectory, "service.lock");
            var held = new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(lockFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.WriteAllText(pidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new DataDirectoryLock(held, pidFile);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new LocalPostgresException(
                $"The data directory {dataDirectory} can't be written by the user {Environment.UserName}: "
                + "give it to that user, or set ClaimCheck:DataDirectory to another folder.",
                e);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(pidFile))
        {
            throw new LocalPostgresException(
                $"The data directory {dataDirectory} is in use by another service (process {Holder(pidFile)}): "
                + "stop that one, or set ClaimCheck:DataDirectory to another folder.",
                e);
        }
        catch (IOException e)
        {
            throw new LocalPostgresException(
                $"The data directory {dataDirectory} can't be used ({e.Message}): set "
                + "ClaimCheck:DataDirectory to another folder.",
                e);
        }
    }

    public void Dispose()
    {
        File.Delete(holderFile);
        locked.Dispose();
    }

    private static string Holder(string pidFile)
    {
        try
        {
            return int.TryParse(File.ReadAllText(pidFile), CultureInfo.InvariantCulture, out var pid) ? $"{pid}" : "unknown";
        }
        catch (IOException)
        {
            return "unknown";
        }
    }
}
