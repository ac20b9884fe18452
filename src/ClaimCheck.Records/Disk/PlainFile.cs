namespace ClaimCheck.Records.Disk;

/// <summary>Distinguishes files from pipes and sockets; .NET has no call for that.</summary>
internal static partial class PlainFile
{
    /// <summary>Whether a file has content: opening a pipe blocks until somebody writes, and no signal ends that.</summary>
    public static bool Is(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            return true;
        var descriptor = Open(path, OperatingSystem.IsLinux() ? 0x800 : 0x4); // O_NONBLOCK
        if (descriptor < 0)
            return true; // reading it will report why it can't be read
        var canSeek = Seek(descriptor, 0, whence: 1) >= 0;
        _ = Close(descriptor);
        return canSeek;
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek")]
    private static partial nint Seek(int descriptor, nint offset, int whence);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
