using ClaimCheck.Records.Disk;

namespace ClaimCheck.Consumer;

/// <summary>
/// Keeps the cursor in a file, which is replaced as a whole: after a crash it contains the old cursor or the new one.
/// </summary>
/// <param name="path">The file; its folder is created where it is missing. The name with <c>.new</c> at its end is used
/// too.</param>
public sealed class FileCursorStore(string path) : ICursorStore
{
    private readonly string path = Path.GetFullPath(path);

    /// <inheritdoc/>
    public async Task<string?> LoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var cursor = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
            return cursor.Length == 0 ? null : cursor;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task SaveAsync(string cursor, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await Durable.ReplaceAsync(path, Encoding.UTF8.GetBytes(cursor), cancellationToken);
    }
}
