using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Service.Blocks;

/// <summary>A block as it will be stored. The receiver returns the buffer.</summary>
internal readonly record struct SealedBlock(byte[] Buffer, int Length, Crc32Sum Plain, long Records, byte[] Sha256)
{
    public ReadOnlyMemory<byte> Bytes => Buffer.AsMemory(0, Length);
}

/// <summary>Compresses blocks, each by itself, and digests them.</summary>
/// <param name="buffers">The pool that blocks come from and return to.</param>
/// <param name="framing">One of <see cref="BlockFraming"/>.</param>
internal sealed class BlockSealer(BlockBuffers buffers, string framing)
{
    // .NET writes nothing at all for empty input, but gunzip must be able to read an empty file too.
    private static readonly byte[] EmptyMember = [.. GzipMember.Header, .. GzipMember.Trailer(0, 0)];

    public string Framing => framing;

    public SealedBlock Seal(FilledBlock block, CancellationToken cancellationToken)
    {
        if (framing == BlockFraming.None)
            return new SealedBlock(block.Buffer, block.Length, new(0, block.Length), block.Records, SHA256.HashData(block.Bytes));
        var plain = framing == BlockFraming.Deflate ? Crc32Sum.Of(block.Bytes) : new(0, block.Length);
        try
        {
            var (stored, length) = Compress(block.Bytes, cancellationToken);
            return new SealedBlock(stored, length, plain, block.Records, SHA256.HashData(stored.AsSpan(0, length)));
        }
        finally
        {
            buffers.Return(block.Buffer);
        }
    }

    /// <summary>The beginning of each file, which no index lists: the gzip header, the column names.</summary>
    public ReadOnlyMemory<byte> SealHeader(ReadOnlyMemory<byte> header)
    {
        if (framing == BlockFraming.None)
            return header;
        var (stored, length) = header.IsEmpty ? ([], 0) : Compress(header.Span, CancellationToken.None);
        byte[] sealedHeader = framing == BlockFraming.Deflate
            ? [.. GzipMember.Header, .. stored.AsSpan(0, length)]
            : [.. stored.AsSpan(0, length)];
        buffers.Return(stored);
        return sealedHeader;
    }

    /// <summary>The content of a file with neither header nor records, where an empty file would not be valid.</summary>
    public ReadOnlyMemory<byte> SealNothing() => framing == BlockFraming.Gzip ? EmptyMember : default;

    private (byte[] Stored, int Length) Compress(ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        var stored = buffers.Rent(BlockCompressor.Bound(bytes.Length));
        try
        {
            return (stored, framing == BlockFraming.Deflate
                ? BlockCompressor.Deflate(bytes, stored, cancellationToken)
                : BlockCompressor.Gzip(bytes, stored, cancellationToken));
        }
        catch
        {
            buffers.Return(stored);
            throw;
        }
    }
}
