namespace ClaimCheck.Consumer;

/// <summary>
/// Reads the records of batches: lazily, each block verified before its records are returned, resumed where a connection is
/// cut or a link expires, in bounded memory. Thread-safe; create one and reuse it. Nothing is opened before the first record is
/// requested. Dispose it to close its connections; the client stays the caller's.
/// </summary>
/// <remarks>
/// A read that ends without an exception has returned every record of the manifest, once, in the order of the files. All other
/// reads end with one of these: <see cref="BatchEndedException"/> (revoked, expired: discard what was read),
/// <see cref="IntegrityException"/>, <see cref="UntrustedLinkException"/>, <see cref="RecordMismatchException"/>,
/// <see cref="DownloadFailedException"/> or <see cref="ServiceUnavailableException"/> (read again later),
/// <see cref="AccessDeniedException"/>, <see cref="NotFoundException"/>.
/// </remarks>
public sealed class BatchReader : IDisposable
{
    private readonly ClaimCheckClient client;
    private readonly BatchReaderOptions options;
    private readonly LinkClient links;
    private readonly KnownRevocations revocations = new();

    /// <summary>A reader that asks a service for the state and fresh links of its batches.</summary>
    /// <param name="client">The service; not disposed with the reader.</param>
    /// <param name="options">Limits and allowed hosts, or null for the defaults.</param>
    /// <exception cref="ArgumentException">An option can't be used; the text says why.</exception>
    public BatchReader(ClaimCheckClient client, BatchReaderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        this.client = client;
        this.options = options ?? new BatchReaderOptions();
        this.options.Validate();
        links = new LinkClient(client.BaseAddress, this.options);
    }

    /// <summary>Reads what a BulkReady announced, through its link; where that has expired, through the claim URL.</summary>
    /// <typeparam name="T">
    /// A record type. Columns go to the constructor's parameters and to settable properties by name (<c>created_at</c> to
    /// <c>CreatedAt</c>, or by <c>[JsonPropertyName]</c>); columns without a member are left out. Members are string, integers,
    /// decimal, double, float, bool, DateTimeOffset, DateTime, DateOnly, TimeOnly, Guid, byte[] (bytea), JsonElement,
    /// enums, and nullable forms.
    /// </typeparam>
    public IAsyncEnumerable<T> ReadAsync<T>(BulkReadyData ready, CancellationToken cancellationToken = default) =>
        ReadTypedAsync<T>(Ask(ready), cancellationToken);

    /// <summary>Reads a batch through its claim URL.</summary>
    /// <typeparam name="T">A record type; see <see cref="ReadAsync{T}(BulkReadyData, CancellationToken)"/>.</typeparam>
    public IAsyncEnumerable<T> ReadAsync<T>(BatchId batchId, CancellationToken cancellationToken = default) =>
        ReadTypedAsync<T>(new RequestedBatch(batchId, null, null), cancellationToken);

    /// <summary>Reads a batch by a manifest that the caller has already.</summary>
    /// <typeparam name="T">A record type; see <see cref="ReadAsync{T}(BulkReadyData, CancellationToken)"/>.</typeparam>
    public IAsyncEnumerable<T> ReadAsync<T>(Manifest manifest, CancellationToken cancellationToken = default) =>
        ReadTypedAsync<T>(Ask(manifest), cancellationToken);

    /// <summary>Reads what a BulkReady announced as raw records; each is valid until the next is requested.</summary>
    public IAsyncEnumerable<Record> ReadRecordsAsync(BulkReadyData ready, CancellationToken cancellationToken = default) =>
        ReadRawAsync(Ask(ready), cancellationToken);

    /// <summary>Reads a batch through its claim URL as raw records; each is valid until the next is requested.</summary>
    public IAsyncEnumerable<Record> ReadRecordsAsync(BatchId batchId, CancellationToken cancellationToken = default) =>
        ReadRawAsync(new RequestedBatch(batchId, null, null), cancellationToken);

    /// <summary>Reads a batch by a manifest as raw records; each is valid until the next is requested.</summary>
    public IAsyncEnumerable<Record> ReadRecordsAsync(Manifest manifest, CancellationToken cancellationToken = default) =>
        ReadRawAsync(Ask(manifest), cancellationToken);

    /// <summary>
    /// Reads a batch through its claim URL from a position on, with the position behind each record. Blocks before it are not
    /// fetched; the records before it count towards the manifest's total. The checksum of the file that it is in is not checked,
    /// only those of its blocks.
    /// </summary>
    /// <typeparam name="T">A record type; see <see cref="ReadAsync{T}(BulkReadyData, CancellationToken)"/>.</typeparam>
    /// <param name="from">The position; <see cref="BatchPosition.Start"/> for all.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="IntegrityException">It is not a position of that batch.</exception>
    public async IAsyncEnumerable<PositionedRecord<T>> ReadFromAsync<T>(
        BatchPosition from, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var read = Read(new RequestedBatch(from.BatchId, null, null), from, cancellationToken);
        var map = RecordMap<T>.For((await read.OpenAsync()).Columns);
        while (await read.NextBlockAsync())
        {
            while (Next(read))
                yield return new(map.Make(read.Rows), read.Position);
        }
    }

    /// <summary>The same with raw records; each is valid until the next is requested.</summary>
    /// <param name="from">The position; <see cref="BatchPosition.Start"/> for all.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="IntegrityException">It is not a position of that batch.</exception>
    public async IAsyncEnumerable<PositionedRecord<Record>> ReadRecordsFromAsync(
        BatchPosition from, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var read = Read(new RequestedBatch(from.BatchId, null, null), from, cancellationToken);
        var fields = new RecordFields(await read.OpenAsync());
        while (await read.NextBlockAsync())
        {
            while (Next(read))
                yield return new(new Record(read.Rows, fields), read.Position);
        }
    }

    /// <summary>
    /// Tells the reader that a batch was revoked, as a BulkRevoked says: its reads that are under way, and later ones, end with
    /// <see cref="BatchRevokedException"/> and return nothing more. The newest 100,000 are remembered.
    /// </summary>
    /// <param name="batchId">The batch.</param>
    /// <returns>False where that was known already.</returns>
    public bool MarkRevoked(BatchId batchId) => revocations.Remember(batchId);

    /// <summary>Whether <see cref="MarkRevoked"/> was called for the batch.</summary>
    /// <param name="batchId">The batch.</param>
    public bool IsMarkedRevoked(BatchId batchId) => revocations.Contains(batchId);

    internal RevocationWatch Watch(BatchId batchId) => revocations.Watch(batchId);

    /// <summary>Closes the connections to links.</summary>
    public void Dispose() => links.Dispose();

    private static RequestedBatch Ask(BulkReadyData ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        return new(ready.BatchId, ready.Location, null);
    }

    private static RequestedBatch Ask(Manifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return new(manifest.BatchId, null, manifest);
    }

    internal BatchRead Open(BulkReadyData ready, BatchPosition from, CancellationToken cancellationToken) =>
        Read(Ask(ready), from, cancellationToken);

    private BatchRead Read(RequestedBatch asked, BatchPosition? from, CancellationToken cancellationToken) =>
        new(new ClaimedManifest(client, links, asked, options), revocations, from, cancellationToken);

    private async IAsyncEnumerable<T> ReadTypedAsync<T>(
        RequestedBatch asked, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var read = Read(asked, null, cancellationToken);
        var map = RecordMap<T>.For((await read.OpenAsync()).Columns);
        while (await read.NextBlockAsync())
        {
            while (Next(read))
                yield return map.Make(read.Rows);
        }
    }

    private async IAsyncEnumerable<Record> ReadRawAsync(
        RequestedBatch asked, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var read = Read(asked, null, cancellationToken);
        var fields = new RecordFields(await read.OpenAsync());
        while (await read.NextBlockAsync())
        {
            while (Next(read))
                yield return new Record(read.Rows, fields);
        }
    }

    // One at a time: each is checked against what is known by then.
    private static bool Next(BatchRead read)
    {
        if (read.Take(1) == 0)
            return false;
        read.ThrowIfEnded();
        return true;
    }
}
