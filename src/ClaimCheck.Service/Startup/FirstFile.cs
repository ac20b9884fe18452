using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Startup;

/// <summary>
/// Gives a whole file its name where no other has it: of several who try at once one wins, and the others read what it wrote. Moving without
/// overwriting is not that on Unix: .NET looks whether the name is free, and then renames, so that two who look at once both go on.
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
        // A second name fails where the name is taken, in one step.
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
