namespace ClaimCheck.Consumer;

/// <summary>
/// Saves the files of batches to directories: each block is verified before it counts, each file before it gets its name; a
/// download resumes from what an earlier one left, in bounded memory. Thread-safe; create one and reuse it. Dispose it to close
/// its connections; the client stays the caller's.
/// </summary>
/// <remarks>
/// An incomplete file is named <c>….partial</c>. It gets its name once its SHA-256 is the manifest's, and the list of
/// files, <c>manifest.json</c>, comes last: where it exists, the batch is complete. It contains no links, but the permanent
/// addresses of the files. A download that was interrupted continues from the last whole block, after the existing data was
/// verified again: just call again. Where the batch has ended meanwhile (<see cref="BatchEndedException"/>), nothing of an
/// unfinished download is kept.
/// </remarks>
public sealed class BatchDownloader : IDisposable
{
    private readonly ClaimCheckClient client;
    private readonly BatchReaderOptions options;
    private readonly LinkClient links;

    /// <summary>A downloader that asks a service for the state and fresh links of its batches.</summary>
    /// <param name="client">The service; not disposed with the downloader.</param>
    /// <param name="options">Limits and allowed hosts, or null for the defaults.</param>
    /// <exception cref="ArgumentException">An option can't be used; the text says why.</exception>
    public BatchDownloader(ClaimCheckClient client, BatchReaderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        this.client = client;
        this.options = options ?? new BatchReaderOptions();
        this.options.Validate();
        links = new LinkClient(client.BaseAddress, this.options);
    }

    /// <summary>Saves a batch, through its claim URL.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="directory">The target directory; created if it is missing. It may contain what an earlier download of the
    /// batch left.</param>
    /// <param name="progress">Reported after each block, from the downloading thread.</param>
    /// <param name="cancellationToken">Cancels the download; what is verified stays for the next one.</param>
    /// <exception cref="BatchEndedException">Revoked or expired: what existed of an unfinished download is deleted.</exception>
    /// <exception cref="DirectoryInUseException">The directory is not this batch's.</exception>
    /// <exception cref="IntegrityException">What is served contradicts the manifest, even when fetched again.</exception>
    /// <exception cref="DownloadFailedException">A file could not be fetched now; continue later.</exception>
    /// <exception cref="IOException">The directory can't be written to.</exception>
    public Task<DownloadedBatch> DownloadAsync(
        BatchId batchId, string directory, IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        DownloadAsync(new RequestedBatch(batchId, null, null), directory, progress, cancellationToken);

    /// <summary>Saves a batch by a manifest that the caller has already.</summary>
    /// <inheritdoc cref="DownloadAsync(BatchId, string, IProgress{DownloadProgress}, CancellationToken)"/>
    public Task<DownloadedBatch> DownloadAsync(
        Manifest manifest, string directory, IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return DownloadAsync(new RequestedBatch(manifest.BatchId, null, manifest), directory, progress, cancellationToken);
    }

    /// <summary>
    /// Saves one file of a batch, verified and resumed as the whole batch is, for callers that pass files on one by one and have
    /// no space for all. The directory stays an unfinished download (<see cref="Discard"/>); the caller may move or delete the
    /// file.
    /// </summary>
    /// <param name="manifest">The batch's manifest. Where its links have expired, the service is asked for fresh ones.</param>
    /// <param name="name">The file's name in it.</param>
    /// <param name="directory">The target directory; created if it is missing.</param>
    /// <param name="cancellationToken">Cancels the download; what is verified stays for the next one.</param>
    /// <returns>The file's path.</returns>
    /// <exception cref="ArgumentException">The manifest does not list the file.</exception>
    /// <inheritdoc cref="DownloadAsync(BatchId, string, IProgress{DownloadProgress}, CancellationToken)" path="/exception"/>
    public async Task<string> SaveFileAsync(
        Manifest manifest, string name, string directory, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var batch = manifest.BatchId;
        var target = new DownloadDirectory(directory, batch);
        try
        {
            var claim = new ClaimedManifest(client, links, new RequestedBatch(batch, null, manifest), options);
            await claim.OpenAsync(cancellationToken);
            var ordinal = manifest.Files.ToList().FindIndex(file => file.Name == name);
            if (ordinal < 0)
                throw new ArgumentException($"The manifest of {batch} does not list that file.", nameof(name));
            await using var work = await target.BeginAsync(manifest, client.BaseAddress, cancellationToken);
            await new FileSaver(claim, ordinal, target, new DownloadTally(manifest, null)).SaveAsync(cancellationToken);
            return target.File(name);
        }
        catch (BatchEndedException)
        {
            target.Discard();
            throw;
        }
    }

    /// <summary>Deletes what an unfinished download of a batch left in a directory. A complete one stays.</summary>
    /// <returns>How many files were deleted.</returns>
    /// <exception cref="IOException">A file can't be deleted.</exception>
    public static int Discard(BatchId batchId, string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        return new DownloadDirectory(directory, batchId).Discard();
    }

    /// <summary>Closes the connections to links.</summary>
    public void Dispose() => links.Dispose();

    private async Task<DownloadedBatch> DownloadAsync(
        RequestedBatch asked, string path, IProgress<DownloadProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var directory = new DownloadDirectory(path, asked.BatchId);
        try
        {
            var claim = new ClaimedManifest(client, links, asked, options);
            var manifest = await claim.OpenAsync(cancellationToken);
            await using var work = await directory.BeginAsync(manifest, client.BaseAddress, cancellationToken);
            var tally = new DownloadTally(manifest, progress);
            await SaveFilesAsync(claim, directory, tally, cancellationToken);
            await StillReadyAsync(asked.BatchId, cancellationToken);
            directory.Complete();
            return tally.Result(manifest, path);
        }
        catch (BatchEndedException)
        {
            directory.Discard();
            throw;
        }
    }

    // Cut off as soon as the service says that the batch was revoked, even in the middle of a file.
    private async Task SaveFilesAsync(
        ClaimedManifest claim, DownloadDirectory directory, DownloadTally tally, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchAsync(claim.BatchId, ended);
        try
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, claim.Manifest.Files.Count),
                new ParallelOptions { MaxDegreeOfParallelism = options.ParallelFiles, CancellationToken = ended.Token },
                async (file, token) => await new FileSaver(claim, file, directory, tally).SaveAsync(token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await watching; // says why
            throw;
        }
        finally
        {
            await ended.CancelAsync();
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WatchAsync(BatchId batch, CancellationTokenSource ended)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.StateCheckInterval, TimeProvider.System, ended.Token);
                try
                {
                    await StillReadyAsync(batch, ended.Token);
                }
                catch (ClaimCheckException e) when (e is not BatchEndedException)
                {
                    // A failed call does not mean a revocation: the download itself finds out the cause.
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // Everything is saved, or the download is cancelled.
        }
        catch (BatchEndedException)
        {
            await ended.CancelAsync();
            throw;
        }
    }

    // A GET that has begun continues after a revocation: a batch must not become complete when it is known to be revoked.
    private async Task StillReadyAsync(BatchId batch, CancellationToken cancellationToken)
    {
        try
        {
            var state = (await client.GetBatchAsync(batch, cancellationToken)).State;
            if (state == ExportState.Revoked)
                throw new BatchRevokedException("The batch was revoked while it was downloaded.", batch);
        }
        catch (ServiceUnavailableException)
        {
            // Every byte is verified; an unreachable service does not change that.
        }
    }
}

/// <summary>The progress of a download.</summary>
/// <param name="Files">Files of the batch.</param>
/// <param name="FilesDone">Files that are complete and verified.</param>
/// <param name="Records">Records of the batch.</param>
/// <param name="RecordsDone">Records in verified blocks.</param>
/// <param name="Bytes">Stored bytes of the batch.</param>
/// <param name="BytesDone">Bytes in verified blocks, including those found on disk.</param>
/// <param name="BytesKept">Of these, the bytes that were found on disk and not fetched again.</param>
public sealed record DownloadProgress(
    int Files, int FilesDone, long Records, long RecordsDone, long Bytes, long BytesDone, long BytesKept);

/// <summary>A batch that is complete on disk.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Directory">Where it is.</param>
/// <param name="BytesFetched">Bytes that were fetched now.</param>
/// <param name="BytesKept">Bytes that were there already, and verified.</param>
public sealed record DownloadedBatch(Manifest Manifest, string Directory, long BytesFetched, long BytesKept);
