using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Startup;

/// <summary>
/// Gives a complete file its name only where the name is free: of several processes that try at once one wins, and the others
/// read what it wrote. Moving without overwriting does not do that on Unix: .NET checks whether the name is free, and then
/// renames, so that two processes may both pass.
/// </summary>
internal static partial class FirstFile
{
    // The same number on Linux and macOS.
    private const int Exists = 17;

    /// <summary>Names the file, or deletes it where the name is taken.</summary>
    /// <param name="temporary">The file, in the same folder.</param>
    /// <param name="path">The name.</param>
    /// <exception cref="IOException">It can't be named.</exception>
    public static void Name(string temporary, string path)
    {
        // Creating a hard link fails where the name is taken, in one step.
        if (!OperatingSystem.IsWindows() && (Link(temporary, path) == 0 || Marshal.GetLastPInvokeError() == Exists))
        {
            File.Delete(temporary);
            return;
        }

        try
        {
            File.Move(temporary, path, overwrite: false); // also where the file system has no hard links
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string existing, string name);
}
