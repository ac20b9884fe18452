namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// A place that a consumer system reads files from: a folder, a bucket, an SFTP server, an HTTP server that accepts PUTs. Paths
/// are relative to it, of plain names with <c>/</c> between (<see cref="LocationPath"/>). Every call may be repeated, whatever
/// the outcome of the previous one, and fails with a <see cref="LocationException"/>.
/// </summary>
internal interface ISharedLocation : IAsyncDisposable
{
    /// <summary>For logs and reports. Contains no credentials.</summary>
    string Name { get; }

    /// <summary>False where only known paths can be requested (HTTP without WebDAV).</summary>
    bool CanList { get; }

    /// <summary>
    /// Checks that everything that a push and a removal do can be done there, with a small file that is deleted again.
    /// </summary>
    Task CheckAsync(CancellationToken cancellationToken) => LocationProbe.RunAsync(this, cancellationToken);

    /// <summary>
    /// Writes a file. Its name appears once it is complete, with the given length and checksum, and flushed; until then the bytes
    /// are under another name, or under none. An existing file of that name is replaced.
    /// </summary>
    /// <param name="path">Where.</param>
    /// <param name="open">Opens the bytes from the beginning. May be called more than once; the result is disposed.</param>
    /// <param name="bytes">How many they are.</param>
    /// <param name="sha256">Their checksum.</param>
    /// <param name="cancellationToken">Cancels the write; what stays of it is cleaned up by a later write.</param>
    Task WriteAsync(
        string path, Func<CancellationToken, Task<Stream>> open, long bytes, ReadOnlyMemory<byte> sha256,
        CancellationToken cancellationToken);

    /// <summary>
    /// Whether a file is there completely. Its checksum is compared where the location reports it, else its bytes are read back
    /// up to a limit, and beyond that only its length: <see cref="WriteAsync"/> gives a name to complete files only.
    /// </summary>
    Task<Holding> HoldsAsync(string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken);

    /// <summary>A small file's bytes, or null where there is none.</summary>
    Task<byte[]?> ReadAsync(string path, CancellationToken cancellationToken);

    /// <summary>The files and folders in a folder; none where it does not exist.</summary>
    Task<IReadOnlyList<StoredFile>> ListAsync(string folder, CancellationToken cancellationToken);

    /// <summary>Deletes files of a folder. Missing ones count as deleted.</summary>
    Task DeleteAsync(string folder, IReadOnlyCollection<string> names, CancellationToken cancellationToken);

    /// <summary>Deletes a folder's files, and the folder itself unless other folders are in it.</summary>
    Task DeleteFolderAsync(string folder, CancellationToken cancellationToken);

    /// <summary>Removes leftovers of interrupted writes in a folder that have not grown for <paramref name="lease"/>.</summary>
    Task CleanAsync(string folder, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>How the consumer system reaches a file there. A presigned one is a capability: never log it.</summary>
    Task<string?> LinkAsync(string path, TimeSpan lifetime, CancellationToken cancellationToken);
}

/// <summary>One entry of a folder.</summary>
/// <param name="Name">Its name within the folder.</param>
/// <param name="Bytes">Its size; 0 for folders.</param>
/// <param name="Modified">When it was last written, by the location's own clock, with its precision: to the minute, or the
/// day.</param>
/// <param name="IsFolder">True for a folder.</param>
internal sealed record StoredFile(string Name, long Bytes, DateTimeOffset? Modified, bool IsFolder = false);

/// <summary>What a location reports about a file.</summary>
internal enum Holding
{
    /// <summary>It is there as it was sent.</summary>
    Same,

    /// <summary>The file is missing, or its content differs.</summary>
    Other,

    /// <summary>The location does not tell.</summary>
    Unclear,
}
