using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Startup;

/// <summary>Makes what the service writes private to its own user, unless stated otherwise: staged records, manifests with live
/// links, locks and temporary data.</summary>
internal static partial class PrivateFiles
{
    public const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // Others may pass through to their own files, but can't list names.
    private const UnixFileMode Passage = Owner | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    // The bits by which others could see or change something.
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite;

    private const int GroupAndOthers = 0b000_111_111;

    /// <summary>Sets the process's file mode creation mask, before anything is written.</summary>
    public static void ByDefault()
    {
        if (!OperatingSystem.IsWindows())
            _ = SetMask(GroupAndOthers);
    }

    /// <summary>Makes a folder of the service's own data private, even one that an earlier version left open.</summary>
    /// <param name="folder">Created where it is missing. A shared folder (with the sticky bit, as /tmp has it) is left as it
    /// is.</param>
    /// <param name="isPassage">Whether another user must pass through it: the one that runs the embedded Postgres, or a group
    /// that reads staging.</param>
    public static void Close(string folder, bool isPassage = false)
    {
        var isNew = !Directory.Exists(folder);
        Directory.CreateDirectory(folder);
        if (OperatingSystem.IsWindows())
            return;
        var mode = File.GetUnixFileMode(folder);
        if (mode.HasFlag(UnixFileMode.StickyBit))
            return;
        try
        {
            // Existing modes are only restricted, never opened: they may be the operator's choice.
            File.SetUnixFileMode(
                folder, isNew ? isPassage ? Passage : Owner : mode & ~(isPassage ? Others : Others | Passage) | Owner);
        }
        catch (UnauthorizedAccessException)
        {
            // Another user's folder: its mode is that user's choice.
        }
    }

    /// <summary>Lets others pass through a folder to what is theirs below it, without listing it.</summary>
    public static void OpenPassage(string folder)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | Passage);
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);
}
