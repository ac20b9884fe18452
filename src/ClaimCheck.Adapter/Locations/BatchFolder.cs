namespace ClaimCheck.Adapter.Locations;

/// <summary>The folder of one batch at a shared location: whose it is, what is in it, and its removal.</summary>
/// <param name="location">The location.</param>
/// <param name="folder">The folder there, one batch's own (<see cref="FolderTemplate"/>).</param>
/// <param name="time">The clock.</param>
internal sealed class BatchFolder(ISharedLocation location, string folder, TimeProvider time)
{
    private readonly string folder = LocationPath.Checked(folder);

    public string PathOf(string name) => LocationPath.Join(folder, name);

    /// <summary>Null where the folder does not belong to a batch.</summary>
    public async Task<FolderRecord?> RecordAsync(CancellationToken cancellationToken) =>
        PushedFolder.Read(await location.ReadAsync(PathOf(PushedFolder.Record), cancellationToken));

    /// <summary>From here on, the folder shows after a crash which batch it belongs to, and what to remove.</summary>
    public async Task ClaimAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        var content = await location.ReadAsync(PathOf(PushedFolder.Record), cancellationToken);
        if (content is not null && PushedFolder.Read(content)?.BatchId != manifest.BatchId)
        {
            throw new LocationException(
                LocationFailure.Taken,
                $"{folder} at {location.Name} is not {manifest.BatchId}'s: another batch is in it. Give each "
                + "batch a folder of its own.",
                manifest.BatchId);
        }
        if (content is null)
        {
            var record = new FolderRecord(
                manifest.BatchId, manifest.ExportId, manifest.Dataset, [.. manifest.Files.Select(file => file.Name)],
                time.GetUtcNow());
            await WriteAsync(PushedFolder.Record, PushedFolder.Write(record), cancellationToken);
        }
    }

    /// <summary>Writes a small file, unless it is there.</summary>
    public async Task WriteAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        var sha256 = SHA256.HashData(content);
        if (!await HoldsAsync(name, content.Length, sha256, cancellationToken))
            await location.WriteAsync(PathOf(name), _ => Task.FromResult<Stream>(new MemoryStream(content, writable: false)),
                content.Length, sha256, cancellationToken);
    }

    // A file that can't be verified is not sent again: it could not be verified afterwards either.
    public async Task<bool> HoldsAsync(
        string name, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        await location.HoldsAsync(PathOf(name), bytes, sha256, cancellationToken) switch
        {
            Holding.Same => true,
            Holding.Other => false,
            _ => throw Digests.Unclear(location.Name, PathOf(name)),
        };

    /// <summary>From here on the batch is not complete, whatever was recorded earlier.</summary>
    public Task ReopenAsync(CancellationToken cancellationToken) =>
        location.DeleteAsync(folder, [PushedFolder.Success], cancellationToken);

    public async Task ThrowIfRemovedAsync(BatchId batchId, CancellationToken cancellationToken)
    {
        if (await location.ReadAsync(PathOf(PushedFolder.Revoked), cancellationToken) is not null)
            throw new BatchRevokedException($"{batchId} was revoked, and removed from {location.Name}.", batchId);
    }

    /// <summary>
    /// Removes the batch: <c>_SUCCESS</c> first, so that no reader begins with it, then the manifest and the files.
    /// <c>_REVOKED</c> stays, and states the reason. May be repeated. A folder that does not belong to a batch is left alone.
    /// </summary>
    /// <returns>What was removed; null for a folder that does not belong to a batch.</returns>
    public async Task<FolderRecord?> RemoveAsync(RemovalNote note, CancellationToken cancellationToken)
    {
        if (await RecordAsync(cancellationToken) is not { } record)
            return null;
        await ReopenAsync(cancellationToken);
        if (await location.ReadAsync(PathOf(PushedFolder.Revoked), cancellationToken) is null)
        {
            var mark = new RevokedMark(
                record.BatchId, record.ExportId, record.Dataset, note.State, note.Reason, note.RevokedAt, time.GetUtcNow());
            await WriteAsync(PushedFolder.Revoked, PushedFolder.Write(mark), cancellationToken);
        }
        await location.DeleteAsync(folder, [PushedFolder.Manifest, .. record.Files], cancellationToken);
        // What a push under way has written so far belongs to the batch too.
        await location.CleanAsync(folder, TimeSpan.Zero, cancellationToken);
        return record;
    }
}
