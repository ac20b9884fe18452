namespace ClaimCheck.Adapter.Locations;

/// <summary>A file that is there for one call, in a folder that nobody else may enter.</summary>
internal sealed class SpooledFile : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("claimcheck-adapter-");

    private SpooledFile() => Path = System.IO.Path.Combine(folder.FullName, "file");

    public string Path { get; }

    public static SpooledFile Reserve() => new();

    public static async Task<SpooledFile> CreateAsync(byte[] content, CancellationToken cancellationToken)
    {
        var file = new SpooledFile();
        await File.WriteAllBytesAsync(file.Path, content, cancellationToken);
        return file;
    }

    public static async Task<SpooledFile> CreateAsync(
        Stream source, string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken)
    {
        var file = new SpooledFile();
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
            // In the system's own folder for such files, which it empties itself.
        }
        return ValueTask.CompletedTask;
    }
}
