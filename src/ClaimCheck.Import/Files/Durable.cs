using System.Runtime.InteropServices;

namespace ClaimCheck.Import.Files;

/// <summary>File operations that must survive a power failure, or concurrent watchers.</summary>
internal static partial class Durable
{
    private const int NotThere = 2; // ENOENT
    private const int AlreadyThere = 17; // EEXIST
    private const int OtherFileSystem = 18; // EXDEV

    /// <summary>A rename is durable only once its folder is on disk; .NET has no call for it.</summary>
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

    /// <summary>
    /// Moves a file within its file system, in one step: never by a copy, which two processes could make of one file.
    /// </summary>
    /// <exception cref="FileNotFoundException">It does not exist (any more).</exception>
    /// <exception cref="IOException">It can't be moved like that.</exception>
    public static void Rename(string from, string to)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            File.Move(from, to);
            return;
        }
        if (RenameNow(from, to) == 0)
            return;
        var text = Marshal.GetLastPInvokeErrorMessage();
        throw Marshal.GetLastPInvokeError() switch
        {
            NotThere => new FileNotFoundException($"There is no file {from}."),
            OtherFileSystem => new IOException($"The folder {Path.GetDirectoryName(to)} is on another file system than {from}: files can't be moved there in one step."),
            _ => new IOException($"{from} can't be moved to {to}: {text}."),
        };
    }

    /// <summary>
    /// Tests whether locks work in a folder, by taking one twice: on some file systems, mounts and settings they do not.
    /// </summary>
    /// <exception cref="IOException">They do not, or the folder can't be written to.</exception>
    public static void ProveLocks(string folder)
    {
        var path = Path.Combine(folder, $".lock-{Guid.NewGuid():N}");
        try
        {
            using var held = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            try
            {
                using var second = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException)
            {
                return;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The folder {folder} can't be written to: {e.Message}", e);
        }
        throw new IOException($"File locks do not work in {folder}: two processes would do the same work. Keep the state on a local disk.");
    }

    /// <summary>Moves a file to a name only where the name is free: of several processes that try, one succeeds.</summary>
    /// <returns>False where the name is taken; the file is unchanged then.</returns>
    public static bool TryMove(string from, string to)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
        {
            // File.Move checks first and renames then: in between, another file may get the name, and would be replaced.
            if (Link(from, to) == 0)
            {
                File.Delete(from);
                return true;
            }
            if (Marshal.GetLastPInvokeError() == AlreadyThere)
                return false;
        }
        // A file system without hard links, or another error: the move itself reports it.
        if (File.Exists(to))
            return false;
        File.Move(from, to);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int RenameNow(string from, string to);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
