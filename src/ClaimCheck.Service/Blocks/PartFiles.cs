using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Service.Blocks;

/// <summary>Opens a writer for an object of the batch.</summary>
internal delegate Task<StagedWriter> OpenStaged(string name, StagedContent content, CancellationToken cancellationToken);

/// <summary>The files of a batch, or of ranges of it, one after the other, each with its index beside it. If disposed halfway, it
/// aborts the open upload.</summary>
/// <param name="layout">Their names and limits.</param>
/// <param name="open">Opens one.</param>
/// <param name="meter">Counts all files of the batch.</param>
internal sealed class PartFiles(PartLayout layout, OpenStaged open, ExportMeter meter) : IAsyncDisposable
{
    private const int MaxFiles = 10_000;

    private readonly List<StagedFile> complete = [];
    private readonly List<Block> blocks = [];
    private readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private StagedWriter? writer;
    private int? range;
    private int number;
    private long bytes;
    private Crc32Sum records;

    /// <summary>Stores the next block, in a new file if this one would grow too large.</summary>
    public Task AddAsync(SealedBlock block, CancellationToken cancellationToken) => AddAsync(block, null, cancellationToken);

    /// <summary>The same in files of a range's own.</summary>
    /// <param name="block">The next block.</param>
    /// <param name="of">The range's number; null where there are none.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task AddAsync(SealedBlock block, int? of, CancellationToken cancellationToken)
    {
        if (of != range)
        {
            if (writer is not null)
                await CompleteAsync(cancellationToken);
            (range, number) = (of, 0);
        }

        if (blocks.Count == layout.MaxBlocks || (blocks.Count > 0 && bytes + block.Length + TrailerBytes > layout.MaxFileBytes))
            await CompleteAsync(cancellationToken);
        if (writer is null)
            await BeginAsync(cancellationToken);
        blocks.Add(new Block(bytes, block.Length, block.Plain.Length, block.Records, Convert.ToHexStringLower(block.Sha256)));
        records = records.Then(block.Plain);
        await StoreAsync(block.Bytes, block.Records, cancellationToken);
    }

    /// <summary>Whether it has no file yet.</summary>
    public bool IsEmpty => complete.Count == 0 && writer is null;

    /// <summary>Completes the last file; where there were no records, the one empty file.</summary>
    public async Task<IReadOnlyList<StagedFile>> FinishAsync(CancellationToken cancellationToken)
    {
        if (IsEmpty)
        {
            await BeginAsync(cancellationToken);
            if (bytes == 0 && !layout.Nothing.IsEmpty)
                await StoreAsync(layout.Nothing, 0, cancellationToken);
        }

        if (writer is not null)
            await CompleteAsync(cancellationToken);
        return complete;
    }

    public async ValueTask DisposeAsync()
    {
        digest.Dispose();
        if (writer is not null)
            await writer.DisposeAsync();
    }

    private int TrailerBytes => layout.IsOneMember ? GzipMember.TrailerBytes : 0;

    private string Name(string extension) =>
        range is null ? $"part-{number:D5}.{extension}" : $"part-{range:D4}-{number:D5}.{extension}";

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (meter.Files >= MaxFiles)
        {
            throw new SourceException(
                "too_many_files",
                $"The export has more than {MaxFiles:N0} files of at most {layout.MaxFileBytes:N0} bytes: ask for larger ones.",
                isTransient: false);
        }

        number++;
        var name = Name(layout.Extension);
        writer = await open(name, new StagedContent(layout.ContentType, name), cancellationToken);
        meter.FileBegun();
        if (!layout.Header.IsEmpty)
            await StoreAsync(layout.Header, 0, cancellationToken);
    }

    private async Task StoreAsync(ReadOnlyMemory<byte> stored, long count, CancellationToken cancellationToken)
    {
        digest.AppendData(stored.Span);
        await writer!.WriteAsync(stored, cancellationToken);
        bytes += stored.Length;
        meter.Stored(count, stored.Length);
    }

    private async Task CompleteAsync(CancellationToken cancellationToken)
    {
        var plain = layout.PlainHeader.Then(records);
        if (layout.IsOneMember)
            await StoreAsync(GzipMember.Trailer(plain.Crc32, plain.Length), 0, cancellationToken);
        await writer!.CompleteAsync(cancellationToken);
        await writer.DisposeAsync();
        writer = null;
        var index = JsonSerializer.SerializeToUtf8Bytes(
            new BlockIndex(blocks) { Framing = layout.Framing }, ClaimCheckJson.Options);
        var indexName = Name("index.json");
        await using (var indexWriter = await open(indexName, StagedContent.Json(indexName), cancellationToken))
        {
            await indexWriter.WriteAsync(index, cancellationToken);
            await indexWriter.CompleteAsync(cancellationToken);
        }

        complete.Add(new StagedFile
        {
            Name = Name(layout.Extension),
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
        });
        blocks.Clear();
        bytes = 0;
        records = default;
    }
}
