namespace ClaimCheck.Adapter.Locations;

/// <summary>
/// Pushes the files of a batch into a folder of a shared location, one after the other. Each is first saved to the work
/// directory, verified block by block and resumed after an interruption; then it is written to the location, and deleted from the
/// work directory. So a location that fails halfway through a file needs no second download, and one that wants its checksum
/// beforehand (HTTP) gets it. Memory stays constant; the disk needs space for the largest file of each batch that is being
/// pushed.
/// </summary>
/// <param name="client">The service.</param>
/// <param name="downloader">Fetches from the links.</param>
/// <param name="workDirectory">Where files are saved meanwhile: persistent, so that a push continues where it was killed.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where what happened is said.</param>
internal sealed partial class BatchPusher(
    ClaimCheckClient client, BatchDownloader downloader, string workDirectory, TimeProvider time, ILogger<BatchPusher> logger)
{
    private static readonly TimeSpan LinkMargin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TidyTimeout = TimeSpan.FromMinutes(5);

    /// <summary>How old the leftovers of a writer must be to be removed when a push begins.</summary>
    public TimeSpan TemporaryLease { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Pushes a batch. Repeated after a crash it ends with the same files; complete ones are not fetched again.
    /// </summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="location">The target.</param>
    /// <param name="folder">The folder there, one batch's own (<see cref="FolderTemplate"/>).</param>
    /// <param name="cancellationToken">Cancels the push; what was done stays for the next one.</param>
    /// <exception cref="BatchEndedException">Revoked or expired, perhaps meanwhile: what had been pushed is removed
    /// again.</exception>
    /// <exception cref="LocationException">The location still failed after all tries; or the folder belongs to another
    /// batch.</exception>
    /// <exception cref="ClaimCheckException">The service or its links failed; the manifest or a file can't be
    /// trusted.</exception>
    public async Task<PushedBatch> PushAsync(
        BatchId batchId, ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        LocationPath.Checked(folder);
        try
        {
            var manifest = await client.GetManifestAsync(batchId, cancellationToken);
            return await PushAsync(batchId, manifest, location, folder, cancellationToken);
        }
        catch (BatchEndedException ended)
        {
            await TakeBackAsync(ended, batchId, location, folder);
            throw;
        }
    }

    /// <inheritdoc cref="BatchFolder.RemoveAsync"/>
    public async Task<FolderRecord?> RemoveAsync(
        ISharedLocation location, string folder, RemovalNote note, CancellationToken cancellationToken)
    {
        var removed = await new BatchFolder(location, folder, time).RemoveAsync(note, cancellationToken);
        if (removed is not null)
            Log.Removed(logger, removed.BatchId, removed.Files.Count, location.Name, folder, note.State);
        return removed;
    }

    private async Task<PushedBatch> PushAsync(
        BatchId batchId, Manifest manifest, ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        if (manifest.BatchId != batchId)
            throw new IntegrityException($"The manifest is of {manifest.BatchId}, but {batchId} was asked for.", batchId);
        PushedFolder.CheckNames(manifest);
        var target = new BatchFolder(location, folder, time);
        await target.ClaimAsync(manifest, cancellationToken);

        // One listing of the folder saves a request for each missing file.
        var there = await NamesAsync(location, folder, cancellationToken);
        if (there is not null || !location.CanList)
            await location.CleanAsync(folder, TemporaryLease, cancellationToken);
        var work = WorkOf(batchId, location, folder);
        var (written, bytes) = (0, 0L);
        for (var i = 0; i < manifest.Files.Count; i++)
        {
            var file = manifest.Files[i];
            var sha256 = Convert.FromHexString(file.Sha256);
            if (there?.Contains(file.Name) != false && await target.HoldsAsync(file.Name, file.Bytes, sha256, cancellationToken))
                continue;
            if (written == 0 && there?.Contains(PushedFolder.Success) != false)
                await target.ReopenAsync(cancellationToken);
            if (manifest.LinksExpireAt - time.GetUtcNow() < LinkMargin)
                manifest = await RefreshedAsync(manifest, cancellationToken);
            var saved = await downloader.SaveFileAsync(manifest, file.Name, work, cancellationToken);
            await location.WriteAsync(
                target.PathOf(file.Name), _ => Task.FromResult<Stream>(Open(saved)), file.Bytes, sha256, cancellationToken);
            File.Delete(saved);
            written++;
            bytes += file.Bytes;
        }
        await CompleteAsync(manifest, target, cancellationToken);
        // Leftovers of a killed push: the folder belongs to this batch only, and nobody else writes there.
        if (there?.Any(LocationPath.IsTemporary) == true)
            await location.CleanAsync(folder, TimeSpan.Zero, cancellationToken);
        Discard(batchId, work);
        Log.Pushed(logger, batchId, manifest.Files.Count, written, location.Name, folder);
        return new PushedBatch(
            manifest, folder,
            [.. manifest.Files.Select(file => new PushedFile(file.Name, target.PathOf(file.Name), file.Bytes, file.Sha256))],
            written, bytes);
    }

    private async Task CompleteAsync(Manifest manifest, BatchFolder target, CancellationToken cancellationToken)
    {
        var batchId = manifest.BatchId;
        var list = PushedFolder.ManifestOf(manifest, client.BaseAddress);
        await target.WriteAsync(PushedFolder.Manifest, list, cancellationToken);
        await target.ThrowIfRemovedAsync(batchId, cancellationToken);
        // A GET that has begun continues after a revocation: a batch must not become complete when it is known to be revoked.
        if ((await client.GetBatchAsync(batchId, cancellationToken)).State == ExportState.Revoked)
            throw new BatchRevokedException($"{batchId} was revoked while it was pushed.", batchId);
        var mark = new SuccessMark(
            batchId, manifest.ExportId, manifest.Dataset, manifest.Files.Count, manifest.Records, manifest.Bytes,
            Convert.ToHexStringLower(SHA256.HashData(list)));
        await target.WriteAsync(PushedFolder.Success, PushedFolder.Write(mark), cancellationToken);
        // A removal that ran meanwhile has deleted the existing files, but not those written later.
        await target.ThrowIfRemovedAsync(batchId, cancellationToken);
    }

    // Null where the folder can't be listed, or the account may not: each file is looked up by name then.
    private async Task<HashSet<string>?> NamesAsync(ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        if (!location.CanList)
            return null;
        try
        {
            return (await location.ListAsync(folder, cancellationToken)).Select(entry => entry.Name)
                .ToHashSet(StringComparer.Ordinal);
        }
        catch (LocationException e) when (e.Reason is LocationFailure.Denied or LocationFailure.Refused)
        {
            Log.NotListed(logger, folder, location.Name, e.Message);
            return null;
        }
    }

    private async Task<Manifest> RefreshedAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        var fresh = await client.GetManifestAsync(manifest.BatchId, cancellationToken);
        var same = fresh.BatchId == manifest.BatchId && fresh.Files.Count == manifest.Files.Count
            && fresh.Files.Zip(manifest.Files).All(pair => (pair.First.Name, pair.First.Sha256, pair.First.Bytes)
                == (pair.Second.Name, pair.Second.Sha256, pair.Second.Bytes));
        return same ? fresh : throw new IntegrityException(
            $"The manifest of {manifest.BatchId} can't be trusted: it lists other files than it did when the push began.",
            manifest.BatchId);
    }

    // On a token of its own: the push may have been cancelled because of the revocation itself.
    private async Task TakeBackAsync(BatchEndedException ended, BatchId batchId, ISharedLocation location, string folder)
    {
        using var soon = new CancellationTokenSource(TidyTimeout, time);
        Discard(batchId, WorkOf(batchId, location, folder));
        if ((await new BatchFolder(location, folder, time).RecordAsync(soon.Token))?.BatchId != batchId)
            return;
        var state = ended is BatchExpiredException ? ExportState.Expired : ExportState.Revoked;
        var note = await NoteAsync(batchId, soon.Token);
        await RemoveAsync(location, folder, note with { State = note.RevokedAt is null ? state : note.State }, soon.Token);
    }

    // The reason is worth asking for, but not worth keeping the data for.
    private async Task<RemovalNote> NoteAsync(BatchId batchId, CancellationToken cancellationToken)
    {
        try
        {
            var batch = await client.GetBatchAsync(batchId, cancellationToken);
            return batch.EndedAt is null
                ? new RemovalNote(ExportState.Revoked, null, null)
                : new RemovalNote(batch.State, batch.Reason, batch.EndedAt);
        }
        catch (ClaimCheckException)
        {
            return new RemovalNote(ExportState.Revoked, null, null);
        }
    }

    // One directory for each batch and target, so that two pushes of a batch do not collide.
    private string WorkOf(BatchId batchId, ISharedLocation location, string folder) => Path.Combine(
        workDirectory, $"{batchId}-"
            + $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{location.Name}\n{folder}")).AsSpan(0, 6))}");

    private static FileStream Open(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 256 << 10, FileOptions.Asynchronous
            | FileOptions.SequentialScan);

    private void Discard(BatchId batchId, string work)
    {
        try
        {
            if (!Directory.Exists(work))
                return;
            BatchDownloader.Discard(batchId, work);
            Directory.Delete(work, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.NotTidied(logger, batchId, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Folder} at {Location} can't be listed: each file is looked up by name. {Reason}")]
        public static partial void NotListed(ILogger logger, string folder, string location, string reason);

        [LoggerMessage(LogLevel.Information,
            "Batch {BatchId} is complete at {Location} in {Folder}: {Files} files, of which {Written} were written now.")]
        public static partial void Pushed(
            ILogger logger, BatchId batchId, int files, int written, string location, string folder);

        [LoggerMessage(
            LogLevel.Information, "Batch {BatchId} with {Files} files is removed from {Location}, {Folder}: it is {State}.")]
        public static partial void Removed(
            ILogger logger, BatchId batchId, int files, string location, string folder, string state);

        [LoggerMessage(LogLevel.Warning, "Files of batch {BatchId} in the work directory could not be deleted: {Reason}")]
        public static partial void NotTidied(ILogger logger, BatchId batchId, string reason);
    }
}
