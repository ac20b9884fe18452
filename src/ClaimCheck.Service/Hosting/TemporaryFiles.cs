namespace ClaimCheck.Service.Hosting;

/// <summary>
/// Files of one call, in <c>tmp/</c> of the data directory. Each has lost its name before its first byte: what it takes is free again
/// when it is closed, also by a kill, and no sweep is needed.
/// </summary>
internal sealed class TemporaryFiles(IConfiguration configuration)
{
    private readonly string folder = Path.Combine(DataDirectory.Of(configuration), "tmp");

    /// <summary>An empty file, to write and read. The caller disposes it.</summary>
    /// <exception cref="IOException">There is no room, or no right to write.</exception>
    public FileStream Open()
    {
        try
        {
            Directory.CreateDirectory(folder);
            var path = Path.Combine(folder, Path.GetRandomFileName());
            var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, Options = FileOptions.Asynchronous };
            if (OperatingSystem.IsWindows())
                how.Options |= FileOptions.DeleteOnClose;
            else
                how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var file = new FileStream(path, how);
            if (!OperatingSystem.IsWindows())
                File.Delete(path);
            return file;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException("The data directory's folder of temporary files can't be written.", e);
        }
    }
}
