namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// One read of a batch, from a position on: returns its verified blocks in turn, and the records in them. The records before the
/// position, those read since and the manifest's count must add up.
/// </summary>
internal sealed class BatchRead : IAsyncDisposable
{
    private readonly BatchPosition from;
    private readonly RevocationWatch watch;
    private readonly CancellationTokenSource ended;
    private readonly CancellationToken caller;
    private readonly ClaimedManifest claim;
    private Prefetch? blocks;
    private VerifiedBlock? block;
    private long inBlock;

    public BatchRead(
        ClaimedManifest claim, KnownRevocations revocations, BatchPosition? from, CancellationToken cancellationToken)
    {
        this.claim = claim;
        this.from = from ?? BatchPosition.Start(claim.BatchId);
        Position = this.from;
        caller = cancellationToken;
        watch = revocations.Watch(claim.BatchId);
        ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, watch.Token);
    }

    public Manifest Manifest => claim.Manifest;

    /// <summary>The position behind the records that were returned last.</summary>
    public BatchPosition Position { get; private set; }

    /// <summary>The block's records; the same object for all blocks.</summary>
    public Rows Rows { get; private set; } = null!;

    public async ValueTask<Manifest> OpenAsync()
    {
        watch.ThrowIfRevoked();
        if (from.BatchId != claim.BatchId)
            throw new IntegrityException($"The position is in {from.BatchId}, but {claim.BatchId} is read.", claim.BatchId);
        var manifest = await watch.GuardAsync(new ValueTask<Manifest>(claim.OpenAsync(ended.Token)));
        if (from is { File: < 0 } or { Block: < 0 } or { Record: < 0 } or { Records: < 0 } || from.File > manifest.Files.Count)
            throw Misplaced();
        Rows = Rows.For(manifest, RecordErrors.OfRows);
        return manifest;
    }

    /// <summary>Moves to the next block.</summary>
    /// <returns>False behind the last one, when all counts are right.</returns>
    public async ValueTask<bool> NextBlockAsync()
    {
        Leave();
        blocks ??= new Prefetch(BlocksAsync(ended.Token), ended.Token);
        block = await watch.GuardAsync(blocks.NextAsync());
        watch.ThrowIfRevoked();
        if (block is null)
        {
            if (Position.Records != Manifest.Records)
            {
                throw new IntegrityException(
                    $"{claim.BatchId} had {Position.Records} records, but its manifest says {Manifest.Records}.", claim.BatchId);
            }
            return false;
        }
        var isFirst = block.Place.File == from.File && block.Place.Block == from.Block;
        Rows.Load(block.Buffer, block.Length, block.Place.FileName, block.Place.Block);
        inBlock = isFirst ? from.Record : 0;
        if (block.Place.Before + inBlock != Position.Records || inBlock > block.Records)
            throw Misplaced();
        for (var skipped = 0L; skipped < inBlock; skipped++)
        {
            if (!Rows.Next())
                throw Miscounted(block);
        }
        return true;
    }

    /// <summary>Finds the next records of the block, <paramref name="most"/> at most.</summary>
    /// <returns>The number of records; 0 at the block's end.</returns>
    public int Take(int most)
    {
        var count = Rows.Fill(most);
        inBlock += count;
        if (inBlock > block!.Records)
            throw Miscounted(block);
        if (count > 0)
            Position = Behind(block);
        return count;
    }

    /// <summary>Throws as soon as it is known that the batch has ended, or the caller has cancelled.</summary>
    public void ThrowIfEnded()
    {
        watch.ThrowIfRevoked();
        blocks?.ThrowIfEnded();
        caller.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        block?.Dispose();
        if (blocks is not null)
            await blocks.DisposeAsync();
        ended.Dispose();
        watch.Dispose();
    }

    private BatchPosition Behind(VerifiedBlock current)
    {
        var (file, ordinal, records) = (current.Place.File, current.Place.Block, current.Place.Before + inBlock);
        return inBlock == current.Records
            ? new(claim.BatchId, file, ordinal + 1, 0, records)
            : new(claim.BatchId, file, ordinal, inBlock, records);
    }

    private void Leave()
    {
        if (block is null)
            return;
        if (inBlock != block.Records)
            throw Miscounted(block);
        block.Dispose();
        block = null;
    }

    private async IAsyncEnumerable<VerifiedBlock> BlocksAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var before = 0L;
        for (var file = 0; file < Manifest.Files.Count; file++)
        {
            if (file >= from.File)
            {
                var first = file == from.File ? from.Block : 0;
                await foreach (var each in new FileDownload(claim, file).BlocksAsync(first, before, cancellationToken))
                    yield return each;
            }
            before += Manifest.Files[file].Records;
        }
    }

    private IntegrityException Misplaced() =>
        new($"The position {from} is not one of {claim.BatchId}: the counts before it do not add up.", claim.BatchId);

    private IntegrityException Miscounted(VerifiedBlock of) => new(
        $"Block {of.Place.Block} of {of.Place.FileName} of {claim.BatchId} does not have the {of.Records} records "
        + "that the index states.",
        claim.BatchId);
}
