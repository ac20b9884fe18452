using System.Security.Cryptography;
using ClaimCheck.Contracts;
using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Service.Blocks;

/// <summary>A block as it will be stored. Whoever takes it gives the buffer back.</summary>
internal readonly record struct SealedBlock(byte[] Buffer, int Length, Crc32Sum Plain, long Records, byte[] Sha256)
{
    public ReadOnlyMemory<byte> Bytes => Buffer.AsMemory(0, Length);
}

/// <summary>Compresses blocks, each by itself, and digests them.</summary>
/// <param name="buffers">Where blocks come from and go to.</param>
/// <param name="framing">One of <see cref="BlockFraming"/>.</param>
internal sealed class BlockSealer(BlockBuffers buffers, string framing)
{
    // .NET writes nothing at all where nothing is compressed, but an empty file must still be read by gunzip.
    private static readonly byte[] EmptyMember = [.. GzipMember.Header, .. GzipMember.Trailer(0, 0)];

    public string Framing => framing;

    public SealedBlock Seal(FilledBlock block, CancellationToken cancellationToken)
    {
        if (framing == BlockFraming.None)
            return new SealedBlock(block.Buffer, block.Length, new(0, block.Length), block.Records, SHA256.HashData(block.Bytes));
        var plain = framing == BlockFraming.Deflate ? Crc32Sum.Of(block.Bytes) : new(0, block.Length);
        var (stored, length) = Compress(block.Bytes, cancellationToken);
        buffers.Return(block.Buffer);
        return new SealedBlock(stored, length, plain, block.Records, SHA256.HashData(stored.AsSpan(0, length)));
    }

    /// <summary>What each file begins with, and no index lists: the gzip header, the column names.</summary>
    public ReadOnlyMemory<byte> SealHeader(ReadOnlyMemory<byte> header)
    {
        if (framing == BlockFraming.None)
            return header;
        var (stored, length) = header.IsEmpty ? ([], 0) : Compress(header.Span, CancellationToken.None);
        return framing == BlockFraming.Deflate
            ? (byte[])[.. GzipMember.Header, .. stored.AsSpan(0, length)]
            : stored.AsMemory(0, length).ToArray();
    }

    /// <summary>What stands for a file with neither header nor records, where it would be no file of its kind otherwise.</summary>
    public ReadOnlyMemory<byte> SealNothing() => framing == BlockFraming.Gzip ? EmptyMember : default;

    private (byte[] Stored, int Length) Compress(ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        var stored = buffers.Rent(BlockCompressor.Bound(bytes.Length));
        var length = framing == BlockFraming.Deflate
            ? BlockCompressor.Deflate(bytes, stored, cancellationToken)
            : BlockCompressor.Gzip(bytes, stored, cancellationToken);
        return (stored, length);
    }
}
