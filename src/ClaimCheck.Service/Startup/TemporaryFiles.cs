namespace ClaimCheck.Service.Startup;

/// <summary>Temporary files of this process, in <c>tmp/</c> of the data directory. Each is unlinked as soon as it is open: its
/// space is free again when it is closed, even by a kill.</summary>
internal sealed class TemporaryFiles(string folder)
{
    private const string Extension = ".tmp";

    /// <summary>An empty file, to write and read. The caller disposes it.</summary>
    /// <exception cref="IOException">The disk is full, or the folder can't be written.</exception>
    public FileStream Open()
    {
        try
        {
            var path = Path.Combine(folder, Guid.NewGuid().ToString("N") + Extension);
            var how = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Delete,
                Options = FileOptions.Asynchronous,
            };
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
                how.Options |= FileOptions.DeleteOnClose;
                return new FileStream(path, how);
            }

            Directory.CreateDirectory(folder, PrivateFiles.Owner);
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var file = new FileStream(path, how);
            File.Delete(path);
            return file;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException("The data directory's folder of temporary files can't be written.", e);
        }
    }

    /// <summary>Deletes what a process left that was killed between the two calls of <see cref="Open"/>. Processes that have such
    /// a file open keep it.</summary>
    public void Sweep()
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var left in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            try
            {
                File.Delete(left);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another process has it open, on Windows, or has deleted it meanwhile.
            }
        }
    }
}
