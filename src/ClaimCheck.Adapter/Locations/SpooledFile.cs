namespace ClaimCheck.Adapter.Locations;

/// <summary>A file that is there for one call, in a folder that nobody else may enter.</summary>
internal sealed class SpooledFile : IAsyncDisposable
{
    private readonly DirectoryInfo folder;

    private SpooledFile(string? parent)
    {
        folder = parent is null
            ? Directory.CreateTempSubdirectory("claimcheck-adapter-")
            : Directory.CreateDirectory(System.IO.Path.Combine(parent, Guid.NewGuid().ToString("N"))); // nobody else may enter its parent
        Path = System.IO.Path.Combine(folder.FullName, "file");
    }

    public string Path { get; }

    /// <param name="parent">The folder that it goes to; the system's own for such files where it is null.</param>
    public static SpooledFile Reserve(string? parent) => new(parent);

    public static async Task<SpooledFile> CreateAsync(string? parent, byte[] content, CancellationToken cancellationToken)
    {
        var file = new SpooledFile(parent);
        await File.WriteAllBytesAsync(file.Path, content, cancellationToken);
        return file;
    }

    public static async Task<SpooledFile> CreateAsync(
        string? parent, Stream source, string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        var file = new SpooledFile(parent);
        try
        {
            await using var copy = new FileStream(file.Path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.Asynchronous);
            await Digests.CopyAsync(source, piece => copy.WriteAsync(piece, cancellationToken), path, bytes, sha256, cancellationToken);
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        try
        {
            folder.Delete(recursive: true);
        }
        catch (IOException)
        {
            // What is left is swept with the next start, or by the system in its own folder.
        }
        return ValueTask.CompletedTask;
    }
}
