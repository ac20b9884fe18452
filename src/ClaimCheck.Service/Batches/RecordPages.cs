using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Service.Batches;

/// <summary>The outcome of a request for a page.</summary>
internal abstract record RecordPage
{
    public static implicit operator RecordPage(Refused why) => new Declined(why);

    /// <summary>The records and the cursor of the next page, as a document of JSON.</summary>
    internal sealed record Read(ReadOnlyMemory<byte> Json) : RecordPage;

    internal sealed record Declined(Refused Why) : RecordPage;
}

/// <summary><c>GET /v1/batches/{batchId}/records</c>: finds a page by the block index, so that every page costs the same: one
/// index and the few blocks that contain it. A page ends early where its records are large.</summary>
internal sealed class RecordPages(IStaging staging, HttpOptions options)
{
    // No further block is begun beyond this: it bounds the cost of a page, and its memory.
    private const int EnoughBytes = 4 << 20;

    /// <summary>Reads a page. A cursor beyond the batch, or of another attempt's files, is refused.</summary>
    /// <exception cref="StagingException">The files can't be read, or are gone.</exception>
    public async Task<RecordPage> ReadAsync(
        ReadableBatch batch, RecordCursor from, int limit, CancellationToken cancellationToken)
    {
        var page = new ArrayBufferWriter<byte>();
        page.Write("{\"items\":["u8);
        var (count, read) = (0, 0L);
        var cursor = from;
        if (cursor.File > batch.Files.Count || !cursor.IsOf(batch))
            return new Refused(ProblemCodes.InvalidCursor);
        while (cursor.File <= batch.Files.Count)
        {
            var file = batch.Files[cursor.File - 1];
            var blocks = await ReadIndexAsync(batch, file, cancellationToken);
            // Cursors point to a record; only the first page may find a file without any.
            if (cursor == from && cursor.Block >= blocks.Count && cursor != RecordCursor.Begin)
                return new Refused(ProblemCodes.InvalidCursor);
            for (; cursor.Block < blocks.Count; cursor = cursor with { Block = cursor.Block + 1, Record = 0 })
            {
                var block = blocks[cursor.Block];
                if (cursor.Record >= block.Records)
                    return new Refused(ProblemCodes.InvalidCursor);
                if (count == limit || (count > 0 && read >= EnoughBytes))
                    return End(page, cursor.In(batch));
                if (block.UncompressedBytes > options.MaxPageRecordBytes)
                    return count > 0 ? End(page, cursor.In(batch)) : TooLarge(file, block, cursor, blocks.Count, batch);
                var bytes = await ReadBlockAsync(batch, file, block, cancellationToken);
                read += block.UncompressedBytes;
                var taken = (int)Math.Min(limit - count, block.Records - cursor.Record);
                try
                {
                    Write(batch, bytes, cursor.Record, taken, page, isFirst: count == 0, cancellationToken);
                }
                catch (InvalidDataException e)
                {
                    throw new StagingException($"{file.Name} of {batch.Row.Batch} does not hold the records of its index.",
                        isTransient: false, inner: e);
                }

                count += taken;
                if (cursor.Record + taken < block.Records)
                    return End(page, (cursor with { Record = cursor.Record + taken }).In(batch));
            }

            cursor = new(cursor.File + 1, 0, 0);
        }

        return End(page, null);
    }

    private static RecordPage.Read End(ArrayBufferWriter<byte> page, RecordCursor? next)
    {
        page.Write("],\"nextCursor\":"u8);
        page.Write(JsonSerializer.SerializeToUtf8Bytes(next?.ToString(), ClaimCheckJson.Options));
        page.Write("}"u8);
        return new(page.WrittenMemory);
    }

    // A reader of pages can continue behind it: whether it can do without that record is its own decision.
    private Refused TooLarge(FileRow file, Block block, RecordCursor at, int blocks, ReadableBatch batch)
    {
        var behind = at.Block + 1 < blocks ? at with { Block = at.Block + 1, Record = 0 } : new(at.File + 1, 0, 0);
        return new Refused(
            ProblemCodes.RecordTooLarge,
            $"The record of block {at.Block} of {file.Name} has {block.UncompressedBytes:N0} bytes, but "
            + $"{HttpOptions.Section}:{nameof(HttpOptions.MaxPageRecordBytes)} allows {options.MaxPageRecordBytes:N0} in a page. "
            + "GET …/data and the batch's files have it. "
            + (behind.File <= batch.Files.Count
                ? $"cursor={behind.In(batch)} continues behind it."
                : "No record comes after it."));
    }

    private static void Write(
        ReadableBatch batch,
        ReadOnlySpan<byte> bytes,
        int skip,
        int take,
        ArrayBufferWriter<byte> page,
        bool isFirst,
        CancellationToken cancellationToken)
    {
        if (batch.Row.Format == "csv")
        {
            new CsvRecords(batch.Row.FrozenDataset.Columns, batch.Row.FrozenDataset.Types, cancellationToken)
                .Write(bytes, skip, take, page, isFirst);
            return;
        }

        for (; skip > 0; skip--)
            bytes = bytes[(LineLength(bytes) + 1)..];
        for (; take > 0; take--, isFirst = false)
        {
            if (!isFirst)
                page.Write(","u8);
            var end = LineLength(bytes);
            page.Write(bytes[..end]);
            bytes = bytes[(end + 1)..];
        }
    }

    private static int LineLength(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOf((byte)'\n') is var end and >= 0
            ? end
            : throw new InvalidDataException("A block ends before its records do.");

    private async Task<IReadOnlyList<Block>> ReadIndexAsync(
        ReadableBatch batch, FileRow file, CancellationToken cancellationToken)
    {
        var index = new byte[file.IndexBytes];
        await FetchAsync(batch, file, file.IndexName, 0, index, file.IndexSha256, cancellationToken);
        return JsonSerializer.Deserialize<BlockIndex>(index, ClaimCheckJson.Options)!.Blocks;
    }

    private async Task<byte[]> ReadBlockAsync(ReadableBatch batch, FileRow file, Block block, CancellationToken cancellationToken)
    {
        var isCompressed = file.Framing != BlockFraming.None;
        var stored = new byte[block.Bytes + (isCompressed ? Inflation.Room : 0)];
        var length = (int)block.Bytes;
        await FetchAsync(batch, file, file.Name, block.Offset, stored.AsMemory(0, length), Convert.FromHexString(block.Sha256),
            cancellationToken);
        if (!isCompressed)
            return stored;
        var plain = new byte[block.UncompressedBytes];
        return Inflation.TryInflate(file.Framing, stored, 0, length, plain)
            ? plain
            : throw new InvalidOperationException($"A block of {file.Name} of {batch.Row.Batch} can't be inflated.");
    }

    private async Task FetchAsync(
        ReadableBatch batch, FileRow file, string name, long offset, Memory<byte> into, byte[] sha256,
        CancellationToken cancellationToken)
    {
        await using (var stream = await staging.OpenReadAsync(
            StagingKeys.File(batch.Row.Batch, file.Attempt, name), offset, into.Length, cancellationToken))
            await stream.ReadExactlyAsync(into, cancellationToken);
        if (!SHA256.HashData(into.Span).AsSpan().SequenceEqual(sha256))
            throw new StagingException($"{name} of {batch.Row.Batch} is not what was staged.", isTransient: true);
    }
}
