using System.Runtime.InteropServices;

namespace ClaimCheck.Import.Files;

/// <summary>
/// Whether somebody has a file open for writing. On a local file system of Linux a read lease tells exactly: it is granted only while no
/// process has the file open to write. A lease is for the file's owner (and root); else, and where file systems have none, the open
/// files of those processes are looked at that may be seen. A writer on another machine is seen by neither.
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
    private const int OpenFlags = 0x800 | 0x80000; // O_NONBLOCK: a pipe must not keep us; O_CLOEXEC

    /// <returns>True where a process writes to it, false where certainly none does, null where it can't be told.</returns>
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
            // Whoever opens the file in the moment of the lease makes the kernel send a signal; the usual one would end this process.
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
            return new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(path))!).DriveType is DriveType.Fixed or DriveType.Ram or DriveType.Removable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    // Processes of other users, and in other containers, are not seen: so nothing is said of a file that none was seen to write to.
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

    // Its third argument is a variadic one, which Linux's calling conventions pass as any other.
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
