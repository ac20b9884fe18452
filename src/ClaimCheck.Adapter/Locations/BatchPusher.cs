using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

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
    public async Task<PushedBatch> PushAsync(BatchId batchId, ISharedLocation location, string folder, CancellationToken cancellationToken)
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

    /// <summary>Removes a batch from a location, for the reason that the service gives.</summary>
    /// <inheritdoc cref="RemoveAsync(ISharedLocation, string, RemovalNote, CancellationToken)"/>
    public async Task<RemovedBatch> RemoveAsync(ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        LocationPath.Checked(folder);
        var record = await RecordAsync(location, folder, cancellationToken);
        return record is null
            ? new RemovedBatch(null, folder, 0)
            : await RemoveAsync(location, folder, await NoteAsync(record.BatchId, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Removes a batch from a location: <c>_SUCCESS</c> first, so that no reader begins with it any more, then the manifest and
    /// the files. <c>_REVOKED</c> stays, and states the reason. May be repeated. A folder that does not belong to a batch is left
    /// alone.
    /// </summary>
    public async Task<RemovedBatch> RemoveAsync(ISharedLocation location, string folder, RemovalNote note, CancellationToken cancellationToken)
    {
        LocationPath.Checked(folder);
        if (await RecordAsync(location, folder, cancellationToken) is not { } record)
            return new RemovedBatch(null, folder, 0);
        await location.DeleteAsync(folder, [PushedFolder.Success], cancellationToken);
        if (await location.ReadAsync(LocationPath.Join(folder, PushedFolder.Revoked), cancellationToken) is null)
        {
            var mark = new RevokedMark(record.BatchId, record.ExportId, record.Dataset, note.State, note.Reason, note.RevokedAt, time.GetUtcNow());
            await WriteAsync(location, folder, PushedFolder.Revoked, PushedFolder.Write(mark), cancellationToken);
        }
        await location.DeleteAsync(folder, [PushedFolder.Manifest, .. record.Files], cancellationToken);
        // What a push under way has written so far belongs to the batch too.
        await location.CleanAsync(folder, TimeSpan.Zero, cancellationToken);
        Log.Removed(logger, record.BatchId, record.Files.Count, location.Name, folder, note.State);
        return new RemovedBatch(record.BatchId, folder, record.Files.Count + 1);
    }

    private async Task<PushedBatch> PushAsync(BatchId batchId, Manifest manifest, ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        if (manifest.BatchId != batchId)
            throw new IntegrityException($"The manifest is of {manifest.BatchId}, but {batchId} was asked for.", batchId);
        PushedFolder.CheckNames(manifest);
        await ClaimAsync(manifest, location, folder, cancellationToken);

        // One listing of the folder saves a request for each missing file.
        var there = await NamesAsync(location, folder, cancellationToken);
        if (there is not null || !location.CanList)
            await location.CleanAsync(folder, TemporaryLease, cancellationToken);
        var work = WorkOf(batchId, location, folder);
        var (written, bytes) = (0, 0L);
        for (var i = 0; i < manifest.Files.Count; i++)
        {
            var file = manifest.Files[i];
            var path = LocationPath.Join(folder, file.Name);
            var sha256 = Convert.FromHexString(file.Sha256);
            if (there?.Contains(file.Name) != false && await HoldsAsync(location, path, file.Bytes, sha256, cancellationToken))
                continue;
            // From here on the batch is not complete, whatever an earlier push recorded.
            if (written == 0 && there?.Contains(PushedFolder.Success) != false)
                await location.DeleteAsync(folder, [PushedFolder.Success], cancellationToken);
            if (manifest.LinksExpireAt - time.GetUtcNow() < LinkMargin)
                manifest = await RefreshedAsync(manifest, cancellationToken);
            var saved = await downloader.SaveFileAsync(manifest, file.Name, work, cancellationToken);
            await location.WriteAsync(path, _ => Task.FromResult<Stream>(Open(saved)), file.Bytes, sha256, cancellationToken);
            File.Delete(saved);
            written++;
            bytes += file.Bytes;
        }
        await CompleteAsync(manifest, location, folder, cancellationToken);
        // Leftovers of a killed push: the folder belongs to this batch only, and nobody else writes there.
        if (there?.Any(LocationPath.IsTemporary) == true)
            await location.CleanAsync(folder, TimeSpan.Zero, cancellationToken);
        Discard(batchId, work);
        Log.Pushed(logger, batchId, manifest.Files.Count, written, location.Name, folder);
        return new PushedBatch(
            manifest, folder,
            [.. manifest.Files.Select(file => new PushedFile(file.Name, LocationPath.Join(folder, file.Name), file.Bytes, file.Sha256))],
            written, bytes);
    }

    // From here on, the folder shows after a crash which batch it belongs to, and what to remove.
    private async Task ClaimAsync(Manifest manifest, ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        var path = LocationPath.Join(folder, PushedFolder.Record);
        var content = await location.ReadAsync(path, cancellationToken);
        if (content is not null && PushedFolder.Read(content)?.BatchId != manifest.BatchId)
        {
            throw new LocationException(
                LocationFailure.Taken, $"{folder} at {location.Name} is not {manifest.BatchId}'s: another batch is in it. Give each batch a folder of its own.", manifest.BatchId);
        }
        if (content is null)
        {
            var record = new FolderRecord(
                manifest.BatchId, manifest.ExportId, manifest.Dataset, [.. manifest.Files.Select(file => file.Name)], time.GetUtcNow());
            await WriteAsync(location, folder, PushedFolder.Record, PushedFolder.Write(record), cancellationToken);
        }
    }

    private async Task CompleteAsync(Manifest manifest, ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        var list = PushedFolder.ManifestOf(manifest, client.BaseAddress);
        var sha256 = SHA256.HashData(list);
        await WriteAsync(location, folder, PushedFolder.Manifest, list, cancellationToken);
        await StillReadyAsync(manifest.BatchId, location, folder, cancellationToken);
        var mark = new SuccessMark(
            manifest.BatchId, manifest.ExportId, manifest.Dataset, manifest.Files.Count, manifest.Records, manifest.Bytes, Convert.ToHexStringLower(sha256));
        await WriteAsync(location, folder, PushedFolder.Success, PushedFolder.Write(mark), cancellationToken);
        // A removal that ran meanwhile has deleted the existing files, but not those written later.
        await ThrowIfRemovedAsync(manifest.BatchId, location, folder, cancellationToken);
    }

    private static async Task WriteAsync(ISharedLocation location, string folder, string name, byte[] content, CancellationToken cancellationToken)
    {
        var (path, sha256) = (LocationPath.Join(folder, name), SHA256.HashData(content));
        if (!await HoldsAsync(location, path, content.Length, sha256, cancellationToken))
            await location.WriteAsync(path, _ => Task.FromResult<Stream>(new MemoryStream(content, writable: false)), content.Length, sha256, cancellationToken);
    }

    // A file that can't be verified is not sent again: it could not be verified afterwards either.
    private static async Task<bool> HoldsAsync(
        ISharedLocation location, string path, long bytes, ReadOnlyMemory<byte> sha256, CancellationToken cancellationToken) =>
        await location.HoldsAsync(path, bytes, sha256, cancellationToken) switch
        {
            Holding.Same => true,
            Holding.Other => false,
            _ => throw Digests.Unclear(location.Name, path),
        };

    // Null where the folder can't be listed, or the account may not: each file is looked up by name then.
    private async Task<HashSet<string>?> NamesAsync(ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        if (!location.CanList)
            return null;
        try
        {
            return (await location.ListAsync(folder, cancellationToken)).Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        }
        catch (LocationException e) when (e.Reason is LocationFailure.Denied or LocationFailure.Refused)
        {
            Log.NotListed(logger, folder, location.Name, e.Message);
            return null;
        }
    }

    // A GET that has begun continues after a revocation: a batch must not become complete when it is known to be revoked.
    private async Task StillReadyAsync(BatchId batchId, ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        await ThrowIfRemovedAsync(batchId, location, folder, cancellationToken);
        if ((await client.GetBatchAsync(batchId, cancellationToken)).State == ExportState.Revoked)
            throw new BatchRevokedException($"{batchId} was revoked while it was pushed.", batchId);
    }

    private static async Task ThrowIfRemovedAsync(BatchId batchId, ISharedLocation location, string folder, CancellationToken cancellationToken)
    {
        if (await location.ReadAsync(LocationPath.Join(folder, PushedFolder.Revoked), cancellationToken) is not null)
            throw new BatchRevokedException($"{batchId} was revoked, and removed from {location.Name}.", batchId);
    }

    private async Task<Manifest> RefreshedAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        var fresh = await client.GetManifestAsync(manifest.BatchId, cancellationToken);
        var same = fresh.BatchId == manifest.BatchId && fresh.Files.Count == manifest.Files.Count
            && fresh.Files.Zip(manifest.Files).All(pair => (pair.First.Name, pair.First.Sha256, pair.First.Bytes) == (pair.Second.Name, pair.Second.Sha256, pair.Second.Bytes));
        return same ? fresh : throw new IntegrityException(
            $"The manifest of {manifest.BatchId} can't be trusted: it lists other files than it did when the push began.", manifest.BatchId);
    }

    private static async Task<FolderRecord?> RecordAsync(ISharedLocation location, string folder, CancellationToken cancellationToken) =>
        PushedFolder.Read(await location.ReadAsync(LocationPath.Join(folder, PushedFolder.Record), cancellationToken));

    // On a token of its own: the push may have been cancelled because of the revocation itself.
    private async Task TakeBackAsync(BatchEndedException ended, BatchId batchId, ISharedLocation location, string folder)
    {
        using var soon = new CancellationTokenSource(TidyTimeout, time);
        Discard(batchId, WorkOf(batchId, location, folder));
        if ((await RecordAsync(location, folder, soon.Token))?.BatchId != batchId)
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
            return batch.EndedAt is null ? new RemovalNote(ExportState.Revoked, null, null) : new RemovalNote(batch.State, batch.Reason, batch.EndedAt);
        }
        catch (ClaimCheckException)
        {
            return new RemovalNote(ExportState.Revoked, null, null);
        }
    }

    // One directory for each batch and target, so that two pushes of a batch do not collide.
    private string WorkOf(BatchId batchId, ISharedLocation location, string folder) => Path.Combine(
        workDirectory, $"{batchId}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{location.Name}\n{folder}")).AsSpan(0, 6))}");

    private static FileStream Open(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 256 << 10, FileOptions.Asynchronous | FileOptions.SequentialScan);

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

        [LoggerMessage(LogLevel.Information, "Batch {BatchId} is complete at {Location} in {Folder}: {Files} files, of which {Written} were written now.")]
        public static partial void Pushed(ILogger logger, BatchId batchId, int files, int written, string location, string folder);

        [LoggerMessage(LogLevel.Information, "Batch {BatchId} with {Files} files is removed from {Location}, {Folder}: it is {State}.")]
        public static partial void Removed(ILogger logger, BatchId batchId, int files, string location, string folder, string state);

        [LoggerMessage(LogLevel.Warning, "Files of batch {BatchId} in the work directory could not be deleted: {Reason}")]
        public static partial void NotTidied(ILogger logger, BatchId batchId, string reason);
    }
}
