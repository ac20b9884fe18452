namespace ClaimCheck.Import.Files;

/// <summary>
/// Whether a process has a file open for writing. On a local file system of Linux a read lease tells exactly: it is granted only
/// while no process has the file open for writing. Only the file's owner (and root) can get a lease; otherwise, and on file
/// systems without leases, the open files of visible processes are checked. Neither way detects a writer on another machine.
/// </summary>
internal static partial class Writers
{
    // https://man7.org/linux/man-pages/man2/F_GETLEASE.2const.html
    private const int SetSignal = 10;
    private const int SetLease = 1024;
    private const int ReadLease = 0;
    private const int NoLease = 2;
    private const int Again = 11;
    private const int Urgent = 23;
    private const int OpenFlags = 0x800 | 0x80000; // O_NONBLOCK: a pipe must not block us; O_CLOEXEC

    /// <returns>True where a process writes to it, false where certainly none does, null where it can't be determined.</returns>
    public static bool? Has(string path) => OperatingSystem.IsLinux() ? ByLease(path) ?? BySight(path) : null;

    private static bool? ByLease(string path)
    {
        // A server's file systems grant leases or refuse them for reasons of their own.
        if (!IsLocal(path))
            return null;
        var descriptor = Open(path, OpenFlags);
        if (descriptor < 0)
            return null;
        try
        {
            // A process that opens the file during the lease makes the kernel send a signal; the default one would end this
            // process.
            if (Control(descriptor, SetSignal, Urgent) < 0)
                return null;
            if (Control(descriptor, SetLease, ReadLease) < 0)
                return Marshal.GetLastPInvokeError() == Again ? true : null;
            _ = Control(descriptor, SetLease, NoLease);
            return false;
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static bool IsLocal(string path)
    {
        try
        {
            return new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path))!).DriveType is DriveType.Fixed or DriveType.Ram
                or DriveType.Removable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    // Processes of other users, and in other containers, are not visible: so finding no writer proves nothing.
    private static bool? BySight(string path)
    {
        var full = Path.GetFullPath(path);
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(process)[0]))
                continue;
            try
            {
                foreach (var open in Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")))
                {
                    if (new FileInfo(open).LinkTarget == full && Writes(Path.Combine(process, "fdinfo", Path.GetFileName(open))))
                        return true;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not ours, or ended meanwhile.
            }
        }
        return null;
    }

    // "flags:	0100001": octal, the lowest two bits are O_WRONLY and O_RDWR.
    private static bool Writes(string info) => File.ReadLines(info).Any(
        line => line.StartsWith("flags:", StringComparison.Ordinal) && ((line[^1] - '0') & 3) != 0);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    // Its third argument is variadic, which Linux's calling conventions pass like any other.
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
