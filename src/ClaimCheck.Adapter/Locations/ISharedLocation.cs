namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A place that a consumer system reads files from: a folder, a bucket, an SFTP server, an HTTP server that takes PUTs. Paths are
/// relative to it, of plain names with <c>/</c> between (<see cref="LocationPath"/>). Every call may be repeated, whatever became of the one
/// before, and fails with a <see cref="LocationException"/>.
/// </summary>
internal interface ISharedLocation : IAsyncDisposable
{
    /// <summary>For logs and reports. Holds no credentials.</summary>
    string Name { get; }

    /// <summary>False where only paths that are known can be asked for (HTTP without WebDAV).</summary>
    bool CanList { get; }

    /// <summary>Whether all that a push and a removal do can be done there, by a small file that is deleted again.</summary>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts a file there. Its name appears once it is complete, of the length and checksum given, and flushed; until then the bytes
    /// lie under another name, or under none. A file of that name is replaced.
    /// </summary>
    /// <param name="path">Where.</param>
    /// <param name="open">Gives the bytes from the beginning. May be called more than once; what it gives is disposed.</param>
    /// <param name="bytes">How many they are.</param>
    /// <param name="sha256">Their checksum.</param>
    /// <param name="cancellationToken">Ends the write; nothing of it stays that a later write would not clean.</param>
    Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken);

    /// <summary>
    /// Whether a file is there whole. Its checksum is compared where the location tells it, else its bytes are read back up to a
    /// limit, and beyond that its length: no other name than a complete file's is ever given by <see cref="WriteAsync"/>.
    /// </summary>
    Task<Holding> HoldsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken);

    /// <summary>A small file's bytes, or null where there is none.</summary>
    Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken);

    /// <summary>The files and folders in a folder; none where it does not exist.</summary>
    Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken);

    /// <summary>Deletes files of a folder. Those that are not there are deleted already.</summary>
    Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken);

    /// <summary>Deletes a folder's files, and the folder itself unless other folders are in it.</summary>
    Task DeleteFolderAsync(string folder, CancellationToken cancellationToken);

    /// <summary>Removes what writes that never ended left in a folder, and that has not grown for <paramref name="lease"/>.</summary>
    Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>How the consumer system reaches a file there. A presigned one is a capability: never log it.</summary>
    Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken);
}

/// <summary>One entry of a folder.</summary>
/// <param name="Name">Its name within the folder.</param>
/// <param name="Bytes">Its size; 0 for folders.</param>
/// <param name="Modified">When it was written last, by the location's own clock, as far as it tells: to the minute, or the day.</param>
/// <param name="IsFolder">True for a folder.</param>
internal sealed record StoredFile(string Name, long Bytes, DateTimeOffset? Modified, bool IsFolder = false);

/// <summary>What a location tells of a file.</summary>
internal enum Holding
{
    /// <summary>It is there as it was sent.</summary>
    Same,

    /// <summary>There is none, or another.</summary>
    Other,

    /// <summary>The location does not tell.</summary>
    Unclear,
}
