namespace ClaimCheck.Adapter.Locations;

/// <summary>A batch that is complete at a location.</summary>
/// <param name="Manifest">Its manifest, with the links that were used.</param>
/// <param name="Folder">The folder at the location.</param>
/// <param name="Files">Its files there, in the manifest's order.</param>
/// <param name="FilesWritten">How many were fetched and written now; the others were there already.</param>
/// <param name="BytesWritten">How many bytes that was.</param>
internal sealed record PushedBatch(
    Manifest Manifest, string Folder, IReadOnlyList<PushedFile> Files, int FilesWritten, long BytesWritten)
{
    /// <summary>The path of its manifest, which names the files; beside it is <c>_SUCCESS</c>.</summary>
    public string ManifestPath => LocationPath.Join(Folder, PushedFolder.Manifest);
}

/// <summary>One file at a location.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">Its path at the location, for <see cref="ISharedLocation.LinkAsync"/>.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its checksum, in hex.</param>
internal sealed record PushedFile(string Name, string Path, long Bytes, string Sha256);

/// <summary>Why a batch is removed, for the consumer system to read.</summary>
/// <param name="State"><c>revoked</c>, <c>expired</c>, …: one of <see cref="ExportState"/>.</param>
/// <param name="Reason">The reason given, or null.</param>
/// <param name="RevokedAt">When it was revoked, or null.</param>
internal sealed record RemovalNote(string State, string? Reason, DateTimeOffset? RevokedAt);
