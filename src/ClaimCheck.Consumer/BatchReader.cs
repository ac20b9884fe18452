using System.Runtime.CompilerServices;
using ClaimCheck.Consumer.Downloads;
using ClaimCheck.Consumer.Records;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer;

/// <summary>
/// Reads the records of batches: lazily, each block verified before its records are handed over, resumed where a connection is
/// cut or a link dies, in bounded memory. Thread-safe; make one and keep it. Nothing is opened before the first record is asked
/// for. Dispose it to close its connections; the client stays the caller's.
/// </summary>
/// <remarks>
/// A read that ends without an exception has handed over every record of the manifest, once, in the order of the files. All
/// reads end with one of these otherwise: <see cref="BatchEndedException"/> (revoked, expired: forget what was read),
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

    /// <summary>Reads what a BulkReady announced, through its link; where that is dead, through the claim URL.</summary>
    /// <typeparam name="T">
    /// A record type. Columns go to the constructor's parameters and to settable properties by name (<c>created_at</c> to
    /// <c>CreatedAt</c>, or by <c>[JsonPropertyName]</c>); columns without a member are left out. Members are string, integers, decimal,
    /// double, float, bool, DateTimeOffset, DateTime, DateOnly, TimeOnly, Guid, byte[] (bytea), JsonElement, enums, and nullable forms.
    /// </typeparam>
    public IAsyncEnumerable<T> ReadAsync<T>(BulkReadyData ready, CancellationToken cancellationToken = default) =>
        ReadTypedAsync<T>(Ask(ready), cancellationToken);

    /// <summary>Reads a batch through its claim URL.</summary>
    /// <typeparam name="T">A record type; see <see cref="ReadAsync{T}(BulkReadyData, CancellationToken)"/>.</typeparam>
    public IAsyncEnumerable<T> ReadAsync<T>(BatchId batchId, CancellationToken cancellationToken = default) =>
        ReadTypedAsync<T>(new Asked(batchId, null, null), cancellationToken);

    /// <summary>Reads a batch by a manifest that the caller has already.</summary>
    /// <typeparam name="T">A record type; see <see cref="ReadAsync{T}(BulkReadyData, CancellationToken)"/>.</typeparam>
    public IAsyncEnumerable<T> ReadAsync<T>(Manifest manifest, CancellationToken cancellationToken = default) =>
        ReadTypedAsync<T>(Ask(manifest), cancellationToken);

    /// <summary>Reads what a BulkReady announced as raw records; each is valid until the next is asked for.</summary>
    public IAsyncEnumerable<Record> ReadRecordsAsync(BulkReadyData ready, CancellationToken cancellationToken = default) =>
        ReadRawAsync(Ask(ready), cancellationToken);

    /// <summary>Reads a batch through its claim URL as raw records; each is valid until the next is asked for.</summary>
    public IAsyncEnumerable<Record> ReadRecordsAsync(BatchId batchId, CancellationToken cancellationToken = default) =>
        ReadRawAsync(new Asked(batchId, null, null), cancellationToken);

    /// <summary>Reads a batch by a manifest as raw records; each is valid until the next is asked for.</summary>
    public IAsyncEnumerable<Record> ReadRecordsAsync(Manifest manifest, CancellationToken cancellationToken = default) =>
        ReadRawAsync(Ask(manifest), cancellationToken);

    /// <summary>
    /// Tells the reader that a batch was revoked, as a BulkRevoked says: reads of it that are under way, and later ones, end with
    /// <see cref="BatchRevokedException"/> and hand over nothing more. The newest 100,000 are remembered.
    /// </summary>
    /// <param name="batchId">The batch.</param>
    /// <returns>False where that was known already.</returns>
    public bool MarkRevoked(BatchId batchId) => revocations.Remember(batchId);

    /// <summary>Whether <see cref="MarkRevoked"/> was told of the batch.</summary>
    /// <param name="batchId">The batch.</param>
    public bool IsMarkedRevoked(BatchId batchId) => revocations.Contains(batchId);

    internal RevocationWatch Watch(BatchId batchId) => revocations.Watch(batchId);

    /// <summary>Closes the connections to links.</summary>
    public void Dispose() => links.Dispose();

    private static Asked Ask(BulkReadyData ready)
    {
        ArgumentNullException.ThrowIfNull(ready);
        return new(ready.BatchId, ready.Location, null);
    }

    private static Asked Ask(Manifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return new(manifest.BatchId, null, manifest);
    }

    private async IAsyncEnumerable<T> ReadTypedAsync<T>(Asked asked, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RecordMap<T>? map = null;
        await foreach (var rows in RowsAsync(asked, manifest => map = RecordMap<T>.For(manifest.Columns), cancellationToken))
            yield return map!.Make(rows);
    }

    private async IAsyncEnumerable<Record> ReadRawAsync(Asked asked, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RecordFields? fields = null;
        await foreach (var rows in RowsAsync(asked, manifest => fields = new(manifest), cancellationToken))
            yield return new Record(rows, fields!);
    }

    // The same Rows each time, at the next record.
    private async IAsyncEnumerable<Rows> RowsAsync(
        Asked asked, Action<Manifest> opened, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var watch = revocations.Watch(asked.BatchId);
        watch.ThrowIfRevoked();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Token);
        var claim = new Claim(client, links, asked, options);
        var manifest = await watch.GuardAsync(new ValueTask<Manifest>(claim.OpenAsync(ended.Token)));
        opened(manifest);
        var rows = Rows.For(manifest);
        var total = 0L;
        await using var blocks = new Prefetch(BlocksAsync(claim, ended.Token), ended.Token);
        while (await watch.GuardAsync(blocks.NextAsync()) is { } block)
        {
            using (block)
            {
                rows.Load(block);
                var count = 0L;
                while (rows.Next())
                {
                    if (++count > block.Records)
                        throw Miscounted(claim.BatchId, block);
                    watch.ThrowIfRevoked();
                    blocks.ThrowIfEnded();
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return rows;
                }
                if (count != block.Records)
                    throw Miscounted(claim.BatchId, block);
                total += count;
            }
        }
        watch.ThrowIfRevoked();
        if (total != manifest.Records)
            throw new IntegrityException($"{claim.BatchId} held {total} records, but its manifest says {manifest.Records}.", claim.BatchId);
    }

    private async IAsyncEnumerable<VerifiedBlock> BlocksAsync(Claim claim, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var file = 0; file < claim.Manifest.Files.Count; file++)
        {
            await foreach (var block in new FileDownload(links, claim, file, options).BlocksAsync(cancellationToken))
                yield return block;
        }
    }

    private static IntegrityException Miscounted(BatchId batch, VerifiedBlock block) => new(
        $"Block {block.Ordinal} of {block.File} of {batch} does not hold the {block.Records} records that the index says.", batch);
}
