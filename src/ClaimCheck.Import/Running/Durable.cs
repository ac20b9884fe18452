using System.Runtime.InteropServices;

namespace ClaimCheck.Import.Running;

/// <summary>What has to outlive a loss of power, or other watchers.</summary>
internal static partial class Durable
{
    private const int AlreadyThere = 17; // EEXIST

    /// <summary>A rename lasts only once its folder is on disk; .NET has no call for it.</summary>
    public static void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            return;
        var descriptor = Open(folder, flags: 0);
        if (descriptor < 0)
            return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>Moves a file to a name that nobody has yet: of several processes that want it, one gets it.</summary>
    /// <returns>False where the name is taken; the file is where it was then.</returns>
    public static bool TryMove(string from, string to)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            // File.Move looks first and renames then: in between another file may get the name, and would be replaced.
            if (Link(from, to) == 0)
            {
                File.Delete(from);
                return true;
            }
            if (Marshal.GetLastPInvokeError() == AlreadyThere)
                return false;
        }
        // A file system without hard links, or whatever else: the move itself says it.
        if (File.Exists(to))
            return false;
        File.Move(from, to);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
