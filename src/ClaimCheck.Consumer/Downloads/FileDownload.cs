using System.Security.Cryptography;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>Reads one file, block by block, each verified before it is returned; at the end also the
/// file's own checksum.</summary>
internal sealed class FileDownload(ClaimedManifest claim, int ordinal)
{
    private readonly ManifestFile file = claim.Manifest.Files[ordinal];

    /// <param name="from">The first block. Where it is not the file's first, nothing before it is fetched, and the file's own
    /// checksum is not checked.</param>
    /// <param name="before">Records of the batch that come before this file.</param>
    /// <param name="cancellationToken">Cancels the download.</param>
    public async IAsyncEnumerable<VerifiedBlock> BlocksAsync(
        int from, long before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var layout = await FileLayout.FetchAsync(claim, ordinal, BlockLimits.Of(claim.Options), cancellationToken);
        if (from > layout.Blocks.Count)
            throw new IntegrityException(
                $"The file {file.Name} of {claim.BatchId} has no block {from}, where the read should continue.", claim.BatchId);
        var patience = new Patience(claim, $"The file {file.Name}");
        await using var download = new ObjectDownload(claim, manifest => manifest.Files[ordinal].Url, file.Bytes, patience);
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        if (from > 0)
        {
            // It was checked by the earlier read.
        }
        else if (layout.PreambleBytes > 0)
        {
            var preamble = new byte[layout.PreambleBytes];
            await download.ReadAsync(0, preamble, _ => PreambleFlaw(claim.Manifest, preamble, layout), cancellationToken);
            whole.AppendData(preamble);
        }
        else if (layout.PreambleUncompressedBytes > 0)
        {
            throw new IntegrityException($"The file {file.Name} of {claim.BatchId} has no header.", claim.BatchId);
        }
        for (var i = 0; i < layout.Blocks.Count; i++)
        {
            if (i >= from)
                yield return await BlockAsync(download, whole, layout, new(file.Name, ordinal, i, before), cancellationToken);
            before += layout.Blocks[i].Records;
        }

        if (from == 0 && layout.TrailerBytes > 0)
        {
            var trailer = new byte[layout.TrailerBytes];
            await download.ReadAsync(file.Bytes - trailer.Length, trailer, _ => TrailerFlaw(trailer, layout), cancellationToken);
            whole.AppendData(trailer);
        }
        if (from == 0 && !whole.GetHashAndReset().AsSpan().SequenceEqual(Convert.FromHexString(file.Sha256)))
            throw new IntegrityException($"The SHA-256 of {file.Name} of {claim.BatchId} is not the manifest's.", claim.BatchId);
    }

    private async Task<VerifiedBlock> BlockAsync(
        ObjectDownload download, IncrementalHash whole, FileLayout layout, BlockPlace place, CancellationToken cancellationToken)
    {
        var block = layout.Blocks[place.Block];
        var expected = Convert.FromHexString(block.Sha256);
        var stored = ArrayPool<byte>.Shared.Rent((int)block.Bytes + Inflation.Room);
        byte[]? inflated = null;
        try
        {
            await download.ReadAsync(
                block.Offset,
                stored.AsMemory(0, (int)block.Bytes),
                read => IsSha256(read.Span, expected) ? null : $"the SHA-256 of block {place.Block} differs",
                cancellationToken);
            whole.AppendData(stored, 0, (int)block.Bytes);
            if (layout.Framing != BlockFraming.None)
            {
                inflated = ArrayPool<byte>.Shared.Rent((int)block.UncompressedBytes);
                if (!Inflation.TryInflate(
                    layout.Framing, stored, 0, (int)block.Bytes, inflated.AsSpan(0, (int)block.UncompressedBytes)))
                {
                    throw new IntegrityException(
                        $"Block {place.Block} of {file.Name} of {claim.BatchId} does not inflate to the "
                        + $"{block.UncompressedBytes} bytes that the index states.",
                        claim.BatchId);
                }
            }
            else
            {
                (inflated, stored) = (stored, null);
            }
            var verified = new VerifiedBlock(inflated, (int)block.UncompressedBytes, block, place);
            inflated = null;
            return verified;
        }
        finally
        {
            if (stored is not null)
                ArrayPool<byte>.Shared.Return(stored);
            if (inflated is not null)
                ArrayPool<byte>.Shared.Return(inflated);
        }
    }

    public static bool IsSha256(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected)
    {
        Span<byte> actual = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, actual);
        return actual.SequenceEqual(expected);
    }

    // The index has no checksum for it, but the manifest determines what the header must be.
    public static string? PreambleFlaw(Manifest manifest, ReadOnlySpan<byte> stored, FileLayout layout)
    {
        var preamble = new byte[layout.PreambleUncompressedBytes];
        var begin = layout.Framing == BlockFraming.Deflate ? GzipMember.HeaderBytes : 0;
        if (begin > 0 && !GzipMember.IsHeader(stored[..begin]))
            return "it does not begin with a gzip header";
        if (layout.Framing == BlockFraming.None)
        {
            if (stored.Length != preamble.Length)
                return "the part before its first block has another length";
            stored.CopyTo(preamble);
        }
        else if (!Inflation.TryInflate(
            layout.Framing, [.. stored, .. new byte[Inflation.Room]], begin, stored.Length - begin, preamble))
        {
            return "the part before its first block does not inflate to the right length";
        }
        return manifest.Format == "csv" && !CsvRows.IsHeader(preamble, manifest.Columns)
            ? "its header does not name the manifest's columns"
            : null;
    }

    public static string? TrailerFlaw(ReadOnlySpan<byte> stored, FileLayout layout) =>
        GzipMember.IsTrailer(stored, layout.File.UncompressedBytes)
            ? null
            : "it does not end as a gzip member of its length does";
}
