using System.Security.Cryptography;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Exporting;

/// <summary>Opens a writer for an object of the batch.</summary>
internal delegate Task<StagedWriter> OpenStaged(string name, StagedContent content, CancellationToken cancellationToken);

/// <summary>How a batch's files are called, what they begin with and how large they get.</summary>
internal sealed record PartLayout
{
    public required string Extension { get; init; }
    public required string ContentType { get; init; }
    public required long MaxFileBytes { get; init; }

    /// <summary>As stored.</summary>
    public required ReadOnlyMemory<byte> Header { get; init; }
    public required int HeaderUncompressedBytes { get; init; }

    /// <summary>Stored where a file has neither header nor records.</summary>
    public required ReadOnlyMemory<byte> Nothing { get; init; }
}

/// <summary>The files of a batch, one after the other, each with its index beside it. Disposed halfway it aborts what is open.</summary>
internal sealed class PartFiles(PartLayout layout, OpenStaged open, ExportMeter meter) : IAsyncDisposable
{
    private const int MaxFiles = 10_000;

    private readonly List<StagedFile> complete = [];
    private readonly List<Block> blocks = [];
    private readonly IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private StagedWriter? writer;
    private long bytes;
    private long uncompressedBytes;

    /// <summary>Stores the next block, in a new file if this one would grow too large.</summary>
    public async Task AddAsync(SealedBlock block, CancellationToken cancellationToken)
    {
        if (blocks.Count > 0 && bytes + block.Length > layout.MaxFileBytes)
            await CompleteAsync(cancellationToken);
        if (writer is null)
            await BeginAsync(cancellationToken);
        blocks.Add(new Block(bytes, block.Length, block.UncompressedBytes, block.Records, Convert.ToHexStringLower(block.Sha256)));
        await StoreAsync(block.Bytes, block.UncompressedBytes, block.Records, cancellationToken);
    }

    /// <summary>Completes the last file; where there were no records, the one empty file.</summary>
    public async Task<IReadOnlyList<StagedFile>> FinishAsync(CancellationToken cancellationToken)
    {
        if (complete.Count == 0 && writer is null)
        {
            await BeginAsync(cancellationToken);
            if (bytes == 0 && !layout.Nothing.IsEmpty)
                await StoreAsync(layout.Nothing, 0, 0, cancellationToken);
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

    private string Name(string extension) => $"part-{complete.Count + 1:D5}.{extension}";

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (complete.Count == MaxFiles)
        {
            throw new ExportFailedException(
                "too_many_files",
                $"The export has more than {MaxFiles:N0} files of at most {layout.MaxFileBytes:N0} bytes: ask for larger ones.",
                isTransient: false);
        }

        var name = Name(layout.Extension);
        writer = await open(name, new StagedContent(layout.ContentType, name), cancellationToken);
        meter.FileBegun();
        if (!layout.Header.IsEmpty)
            await StoreAsync(layout.Header, layout.HeaderUncompressedBytes, 0, cancellationToken);
    }

    private async Task StoreAsync(ReadOnlyMemory<byte> stored, long uncompressed, long records, CancellationToken cancellationToken)
    {
        digest.AppendData(stored.Span);
        await writer!.WriteAsync(stored, cancellationToken);
        bytes += stored.Length;
        uncompressedBytes += uncompressed;
        meter.Stored(records, stored.Length);
    }

    private async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await writer!.CompleteAsync(cancellationToken);
        await writer.DisposeAsync();
        writer = null;
        var index = JsonSerializer.SerializeToUtf8Bytes(new BlockIndex(blocks), ClaimCheckJson.Options);
        var indexName = Name("index.json");
        await using (var indexWriter = await open(indexName, StagedContent.Json(indexName), cancellationToken))
        {
            await indexWriter.WriteAsync(index, cancellationToken);
            await indexWriter.CompleteAsync(cancellationToken);
        }

        complete.Add(new StagedFile
        {
            Name = Name(layout.Extension),
            Records = blocks.Sum(block => block.Records),
            Bytes = bytes,
            UncompressedBytes = uncompressedBytes,
            Sha256 = digest.GetHashAndReset(),
            HeaderBytes = layout.Header.Length,
            Blocks = blocks.Count,
            IndexName = indexName,
            IndexBytes = index.Length,
            IndexSha256 = SHA256.HashData(index),
        });
        blocks.Clear();
        bytes = uncompressedBytes = 0;
    }
}
