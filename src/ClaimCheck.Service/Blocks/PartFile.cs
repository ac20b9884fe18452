using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Service.Blocks;

/// <summary>One file of a batch while it is written, with its index beside it. If disposed halfway, it aborts the open
/// upload.</summary>
internal sealed class PartFile : IAsyncDisposable
{
    private readonly List<Block> blocks = [];
    private readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly PartLayout layout;
    private readonly OpenStaged open;
    private readonly ExportMeter meter;
    private readonly string stem;
    private readonly StagedWriter writer;
    private long bytes;
    private Crc32Sum records;

    private PartFile(PartLayout layout, OpenStaged open, ExportMeter meter, string stem, StagedWriter writer) =>
        (this.layout, this.open, this.meter, this.stem, this.writer) = (layout, open, meter, stem, writer);

    /// <summary>Opens one, and stores its header.</summary>
    /// <param name="layout">Its limits.</param>
    /// <param name="open">Opens objects of the batch.</param>
    /// <param name="meter">Counts what is stored.</param>
    /// <param name="stem">Its name without extension.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<PartFile> BeginAsync(
        PartLayout layout, OpenStaged open, ExportMeter meter, string stem, CancellationToken cancellationToken)
    {
        var name = $"{stem}.{layout.Extension}";
        var opened = await open(name, new StagedContent(layout.ContentType, name), cancellationToken);
        var file = new PartFile(layout, open, meter, stem, opened);
        meter.FileBegun();
        try
        {
            if (!layout.Header.IsEmpty)
                await file.StoreAsync(layout.Header, 0, cancellationToken);
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether one more block keeps it within its limits. A single block always does.</summary>
    public bool HasSpaceFor(SealedBlock block) => blocks.Count == 0
        || (blocks.Count < layout.MaxBlocks && bytes + block.Length + TrailerBytes <= layout.MaxFileBytes);

    public Task AddAsync(SealedBlock block, CancellationToken cancellationToken)
    {
        blocks.Add(new Block(bytes, block.Length, block.Plain.Length, block.Records, Convert.ToHexStringLower(block.Sha256)));
        records = records.Then(block.Plain);
        return StoreAsync(block.Bytes, block.Records, cancellationToken);
    }

    /// <summary>Makes it durable, and writes its index.</summary>
    public async Task<StagedFile> CompleteAsync(int? range, CancellationToken cancellationToken)
    {
        if (bytes == 0 && !layout.Nothing.IsEmpty)
            await StoreAsync(layout.Nothing, 0, cancellationToken);
        var plain = layout.PlainHeader.Then(records);
        if (layout.IsOneMember)
            await StoreAsync(GzipMember.Trailer(plain.Crc32, plain.Length), 0, cancellationToken);
        await writer.CompleteAsync(cancellationToken);
        var index = JsonSerializer.SerializeToUtf8Bytes(
            new BlockIndex(blocks) { Framing = layout.Framing }, ClaimCheckJson.Options);
        var indexName = $"{stem}.index.json";
        await using (var indexWriter = await open(indexName, StagedContent.Json(indexName), cancellationToken))
        {
            await indexWriter.WriteAsync(index, cancellationToken);
            await indexWriter.CompleteAsync(cancellationToken);
        }

        return new StagedFile
        {
            Name = $"{stem}.{layout.Extension}",
            Range = range,
            Records = blocks.Sum(block => block.Records),
            Bytes = bytes,
            UncompressedBytes = plain.Length,
            Sha256 = digest.GetHashAndReset(),
            Framing = layout.Framing,
            HeaderBytes = layout.Header.Length,
            PlainHeader = layout.PlainHeader,
            PlainRecords = records,
            Blocks = blocks.Count,
            IndexName = indexName,
            IndexBytes = index.Length,
            IndexSha256 = SHA256.HashData(index),
        };
    }

    public async ValueTask DisposeAsync()
    {
        digest.Dispose();
        await writer.DisposeAsync();
    }

    private int TrailerBytes => layout.IsOneMember ? GzipMember.TrailerBytes : 0;

    private async Task StoreAsync(ReadOnlyMemory<byte> stored, long count, CancellationToken cancellationToken)
    {
        digest.AppendData(stored.Span);
        await writer.WriteAsync(stored, cancellationToken);
        bytes += stored.Length;
        meter.Stored(count, stored.Length);
    }
}
