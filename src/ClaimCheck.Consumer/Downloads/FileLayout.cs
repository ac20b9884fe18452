using System.Security.Cryptography;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// A file as its index describes it: a preamble outside the blocks (the gzip header, the CSV header), blocks without gaps, and
/// the end of the gzip member.
/// </summary>
/// <param name="File">The file.</param>
/// <param name="Framing">How its blocks are stored: one of <see cref="BlockFraming"/>.</param>
/// <param name="Blocks">Its blocks.</param>
/// <param name="PreambleBytes">Stored bytes before the first block.</param>
/// <param name="PreambleUncompressedBytes">The same before compression.</param>
internal sealed record FileLayout(
    ManifestFile File, string Framing, IReadOnlyList<Block> Blocks, int PreambleBytes, int PreambleUncompressedBytes)
{
    // A header of 1,664 columns with names of 63 letters of four bytes is below half of this.
    private const int MaxPreambleBytes = 1024 * 1024;

    // Deflate can't expand a byte to more.
    private const long MostInflation = 1032;

    private static readonly JsonSerializerOptions Json = new(ClaimCheckJson.Options) { MaxDepth = 8 };

    /// <summary>Stored bytes behind the last block.</summary>
    public int TrailerBytes => TrailerOf(Framing);

    /// <summary>Fetches a file's index, verifies it against the manifest, and checks its content.</summary>
    public static async Task<FileLayout> FetchAsync(
        ClaimedManifest claim, int ordinal, BlockLimits limits, CancellationToken cancellationToken)
    {
        var file = claim.Manifest.Files[ordinal];
        var expected = Convert.FromHexString(file.Index.Sha256);
        var bytes = new byte[file.Index.Bytes];
        var patience = new Patience(claim, $"The index of {file.Name}");
        await using var download = new ObjectDownload(
            claim, manifest => manifest.Files[ordinal].Index.Url, bytes.Length, patience);
        await download.ReadAsync(
            0, bytes, read => SHA256.HashData(read.Span).AsSpan().SequenceEqual(expected) ? null : "its SHA-256 differs",
            cancellationToken);
        return Check(claim.Manifest, file, Parse(bytes, file, claim.BatchId), limits);
    }

    private static int TrailerOf(string framing) => framing == BlockFraming.Deflate ? GzipMember.TrailerBytes : 0;

    private static BlockIndex Parse(byte[] bytes, ManifestFile file, BatchId batch)
    {
        try
        {
            if (JsonSerializer.Deserialize<BlockIndex>(bytes, Json) is { Blocks: not null } index)
                return index;
        }
        catch (JsonException)
        {
        }
        throw new IntegrityException($"The index of {file.Name} of {batch} is not a list of blocks.", batch);
    }

    private static string FramingOf(BlockIndex index, Manifest manifest, ManifestFile file)
    {
        var framing = BlockFraming.Of(index, manifest.Compression);
        if (framing is not (BlockFraming.Deflate or BlockFraming.Gzip or BlockFraming.None))
        {
            // It comes from outside, and must not fill a log.
            var shown = framing.Length <= 32 && framing.All(char.IsAsciiLetterOrDigit) ? $"'{framing}'" : "something else";
            throw new IntegrityException(
                $"The blocks of {file.Name} of {manifest.BatchId} are framed as {shown}. This version reads "
                + $"'{BlockFraming.Deflate}', '{BlockFraming.Gzip}' and '{BlockFraming.None}': a newer one may read them.",
                manifest.BatchId);
        }
        if ((framing == BlockFraming.None) != (manifest.Compression == "none"))
        {
            throw new IntegrityException(
                $"The index of {file.Name} of {manifest.BatchId} can't be trusted: the framing is {framing}, "
                + $"but the manifest's compression {manifest.Compression}.",
                manifest.BatchId);
        }
        return framing;
    }

    private static FileLayout Check(Manifest manifest, ManifestFile file, BlockIndex index, BlockLimits limits)
    {
        var framing = FramingOf(index, manifest, file);
        var blocks = index.Blocks;
        var blocksEnd = file.Bytes - TrailerOf(framing);
        var begin = blocks.Count > 0 ? blocks[0]?.Offset ?? -1 : blocksEnd;
        long end = begin, records = 0, uncompressed = 0;
        for (var i = 0; i < blocks.Count; i++)
        {
            var block = blocks[i];
            Require(
                block is { Offset: >= 0, Bytes: > 0, UncompressedBytes: > 0, Records: > 0 }
                && ManifestRules.IsSha256(block.Sha256),
                $"block {i} has a count below one or no SHA-256");
            Require(block.Offset == end, $"block {i} begins at {block.Offset}, but the one before ends at {end}");
            Require(block.Bytes <= blocksEnd - end, $"block {i} ends behind the file's end");
            // An impossible value is not reported as a limit.
            Require(
                block.UncompressedBytes <= file.UncompressedBytes && block.UncompressedBytes / MostInflation <= block.Bytes,
                $"block {i} stores {block.Bytes} bytes for {block.UncompressedBytes}, in a file of {file.UncompressedBytes}");
            limits.Check(block, $"Block {i} of {file.Name} of {manifest.BatchId}", manifest.BatchId);
            Require(block.Records <= block.UncompressedBytes, $"block {i} has more records than bytes");
            // Compression never makes it much longer; without this check a small block could require a large buffer.
            Require(
                framing == BlockFraming.None
                    ? block.Bytes == block.UncompressedBytes
                    : block.Bytes <= block.UncompressedBytes + (block.UncompressedBytes / 100) + 1024,
                $"block {i} stores {block.Bytes} bytes for {block.UncompressedBytes}");
            end += block.Bytes;
            records = checked(records + block.Records);
            uncompressed += block.UncompressedBytes;
        }
        Require(end == blocksEnd, $"its blocks end at {end}, but should end at {blocksEnd} of {file.Bytes}");
        Require(records == file.Records, $"its blocks have {records} records, but the file {file.Records}");
        var preamble = file.UncompressedBytes - uncompressed;
        Require(
            begin >= (framing == BlockFraming.Deflate ? GzipMember.HeaderBytes : 0) && begin <= MaxPreambleBytes
                && preamble is >= 0 and <= MaxPreambleBytes,
            $"{begin} bytes, {preamble} before compression, belong to no block");
        Require(manifest.Format == "csv" ? preamble > 0 : preamble == 0, "only the header of a csv file belongs to no block");
        return new(file, framing, blocks, (int)begin, (int)preamble);

        void Require(bool holds, string otherwise)
        {
            if (!holds)
                throw new IntegrityException(
                    $"The index of {file.Name} of {manifest.BatchId} can't be trusted: {otherwise}.", manifest.BatchId);
        }
    }
}
