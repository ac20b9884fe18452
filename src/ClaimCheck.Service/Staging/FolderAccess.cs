using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Staging;

/// <summary>Who may read the staging folder: the service's user alone, or with <c>ClaimCheck:Staging:Group</c> that group too,
/// for an operator who serves the folder to others. Its files contain records, and manifests with live links.</summary>
internal sealed partial class FolderAccess(StagingOptions options, IConfiguration configuration)
{
    private const UnixFileMode GroupReads = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    // What is created below such a folder belongs to its group.
    private const UnixFileMode GroupEnters = PrivateFiles.Owner | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
        | UnixFileMode.SetGroup;

    private readonly bool hasGroup = !string.IsNullOrEmpty(options.Group) && !OperatingSystem.IsWindows();

    /// <summary>Closes the folder's root to others, or opens it to the group.</summary>
    /// <exception cref="StartupException">The group does not exist, or the service's user is not in it.</exception>
    public void Prepare(string root)
    {
        if (!hasGroup || OperatingSystem.IsWindows())
        {
            PrivateFiles.Close(root);
            return;
        }

        Directory.CreateDirectory(root);
        var group = FindGroup(options.Group!);
        if (group == 0)
            throw new StartupException(
                $"{StagingOptions.Section}:Group is {options.Group}, but this machine does not have that group.");
        var id = Marshal.ReadInt32(group, 2 * IntPtr.Size); // after the name and the password
        if (ChangeOwner(root, -1, id) != 0)
        {
            throw new StartupException(
                $"{StagingOptions.Section}:Group is {options.Group}, but the folder {root} can't be given to it: make the user "
                + $"{Environment.UserName} a member of the group, and the owner of the folder.");
        }

        File.SetUnixFileMode(root, GroupEnters);
        if (Path.GetDirectoryName(root) == DataDirectory.Of(configuration))
            PrivateFiles.OpenPassage(Path.GetDirectoryName(root)!);
    }

    /// <summary>Called for each folder that was created below the root.</summary>
    public void OfFolder(string path)
    {
        if (hasGroup && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, GroupEnters);
    }

    /// <summary>Called for each file that was created below the root.</summary>
    public void OfFile(string path)
    {
        if (hasGroup && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, GroupReads);
    }

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FindGroup(string name);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);
}
