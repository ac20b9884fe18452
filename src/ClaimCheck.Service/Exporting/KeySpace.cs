using Microsoft.Win32.SafeHandles;

namespace ClaimCheck.Service.Exporting;

/// <summary>Where the keys of an export are held against each other: so much memory, and a folder for what does not fit.</summary>
/// <param name="directory">In the data directory. Files in it have no name as soon as they are open, so a killed worker leaves none.</param>
/// <param name="memory">Bytes, for one export.</param>
internal sealed class KeySpace(string directory, long memory)
{
    /// <summary>Of keys that were not where they are now when the process was killed; the window is one call long.</summary>
    private const string Extension = ".keys";

    private const int NoSpace = 28; // ENOSPC
    private const int OverQuota = 122; // EDQUOT
    private const int DiskFull = unchecked((int)0x80070070); // Windows

    /// <summary>How many keys are held in memory.</summary>
    public int Capacity { get; } = (int)Math.Clamp(memory / KeyTable.BytesOfEach, 16, 1 << 24);

    /// <summary>A file without a name, for this process alone.</summary>
    /// <exception cref="IOException">The disk is full, or refuses.</exception>
    public SafeFileHandle Open()
    {
        var path = Path.Combine(directory, Guid.NewGuid().ToString("N") + Extension);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
            return File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);
        }

        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            File.Delete(path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Deletes what a process left that was killed within <see cref="Open"/>. Files that others have open don't mind.</summary>
    public void Sweep()
    {
        if (!Directory.Exists(directory))
            return;
        foreach (var left in Directory.EnumerateFiles(directory, "*" + Extension))
        {
            try
            {
                File.Delete(left);
            }
            catch (Exception e) when (IsRefusal(e))
            {
                // Another process of this data directory has it open, on Windows; or was faster.
            }
        }
    }

    public static bool IsRefusal(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>Why the keys can't be held against each other: not the source's fault, and perhaps over in a while.</summary>
    public static ExportFailedException Explain(Exception refusal) => new(
        "key_check_unavailable",
        refusal is IOException { HResult: NoSpace or OverQuota or DiskFull }
            ? "The worker's disk is full: the keys, which come in no order, can't be held against each other. Free some space in its data directory."
            : $"The worker can't write the keys, which come in no order, into its data directory to hold them against each other ({refusal.GetType().Name}).",
        isTransient: true,
        refusal);
}
