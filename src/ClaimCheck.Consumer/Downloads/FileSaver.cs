using System.Security.Cryptography;
using ClaimCheck.Records.Disk;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// Saves one file: keeps each valid block on disk, fetches the others into their place, and gives the file its name once its
/// own checksum matches too.
/// </summary>
internal sealed class FileSaver(ClaimedManifest claim, int ordinal, DownloadDirectory directory, DownloadTally tally)
{
    private readonly ManifestFile file = claim.Manifest.Files[ordinal];

    private string Final => directory.File(file.Name);

    private string Partial => Final + DownloadDirectory.Partial;

    public async Task SaveAsync(CancellationToken cancellationToken)
    {
        if (await IsCompleteAsync(cancellationToken))
        {
            File.Delete(Partial);
            tally.Block(file.Records, file.Bytes, isKept: true);
            tally.FileDone();
            return;
        }
        directory.Reopen();
        // What was altered since is replaced block by block, like what was never finished.
        if (File.Exists(Final))
            File.Move(Final, Partial, overwrite: true);
        if (!await FillAsync(cancellationToken))
        {
            // The blocks are right but the whole is not: the header on disk, which no block covers, may be wrong.
            File.Delete(Partial);
            throw new IntegrityException(
                $"The SHA-256 of {file.Name} of {claim.BatchId} is not the manifest's; what was saved of it is deleted.",
                claim.BatchId);
        }
        Durable.Put(Partial, Final);
        tally.FileDone();
    }

    private async Task<bool> IsCompleteAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(Final) || new FileInfo(Final).Length != file.Bytes)
            return false;
        await using var saved = new FileStream(Final, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20,
            FileOptions.Asynchronous | FileOptions.SequentialScan);
        return (await SHA256.HashDataAsync(saved, cancellationToken)).AsSpan().SequenceEqual(Convert.FromHexString(file.Sha256));
    }

    // False where the file's own checksum is not the manifest's in the end.
    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        var layout = await FileLayout.FetchAsync(claim, ordinal, BlockLimits.OfFiles, cancellationToken);
        var patience = new Patience(claim, $"The file {file.Name}");
        await using var download = new ObjectDownload(claim, manifest => manifest.Files[ordinal].Url, file.Bytes, patience);
        await using var saved = new FileStream(
            Partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous);
        if (saved.Length > file.Bytes)
            saved.SetLength(file.Bytes);
        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (layout.PreambleBytes > 0)
        {
            var preamble = new byte[layout.PreambleBytes];
            await PieceAsync(0, 0, preamble, _ => FileDownload.PreambleFlaw(claim.Manifest, preamble, layout));
        }
        for (var i = 0; i < layout.Blocks.Count; i++)
        {
            var (block, number) = (layout.Blocks[i], i);
            var expected = Convert.FromHexString(block.Sha256);
            var buffer = ArrayPool<byte>.Shared.Rent((int)block.Bytes);
            try
            {
                await PieceAsync(
                    block.Offset, block.Records, buffer.AsMemory(0, (int)block.Bytes),
                    read => FileDownload.IsSha256(read.Span, expected) ? null : $"the SHA-256 of block {number} differs");
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
        if (layout.TrailerBytes > 0)
        {
            var trailer = new byte[layout.TrailerBytes];
            await PieceAsync(file.Bytes - trailer.Length, 0, trailer, _ => FileDownload.TrailerFlaw(trailer, layout));
        }
        // A name must not promise what a power failure could still destroy.
        saved.Flush(flushToDisk: true);
        return whole.GetHashAndReset().AsSpan().SequenceEqual(Convert.FromHexString(file.Sha256));

        async Task PieceAsync(long offset, long records, Memory<byte> piece, Func<ReadOnlyMemory<byte>, string?> flaw)
        {
            var isKept = offset + piece.Length <= saved.Length
                && await RandomAccess.ReadAsync(saved.SafeFileHandle, piece, offset, cancellationToken) == piece.Length
                && flaw(piece) is null;
            if (!isKept)
            {
                await download.ReadAsync(offset, piece, flaw, cancellationToken);
                await RandomAccess.WriteAsync(saved.SafeFileHandle, piece, offset, cancellationToken);
            }
            whole.AppendData(piece.Span);
            tally.Block(records, piece.Length, isKept);
        }
    }
}
