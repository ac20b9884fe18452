using System.IO.Compression;

namespace ClaimCheck.Service.Blocks;

/// <summary>Compresses ranges of bytes independently. The only place that knows the compression library.</summary>
internal static class BlockCompressor
{
    // Level 1 of zlib-ng writes a third more than gzip -1 does; level 2 writes less, in two thirds of the time.
    private static readonly ZLibCompressionOptions Fast = new() { CompressionLevel = 2 };

    // A block is usually a mebibyte, but as large as its one record where that is huge: a worker must be able to stop in between.
    private const int Slice = 1 << 20;

    /// <summary>The buffer size for a block's compressed bytes: incompressible bytes grow by an eighth at most (9 bits a byte in
    /// the fixed code).</summary>
    public static int Bound(int length) => length + (length >> 3) + 4096;

    /// <summary>Deflate blocks, none of them the final one, that refer to nothing before them and end on a
    /// byte boundary.</summary>
    /// <returns>Their length in <paramref name="target"/>.</returns>
    public static int Deflate(ReadOnlySpan<byte> bytes, byte[] target, CancellationToken cancellationToken)
    {
        using var stored = new MemoryStream(target);
        using var deflate = new DeflateStream(stored, Fast, leaveOpen: true);
        Write(deflate, bytes, cancellationToken);
        deflate.Flush(); // with an empty stored block, which ends on a byte boundary
        return (int)stored.Position; // the final block, which closing appends, does not count
    }

    /// <summary>A gzip member.</summary>
    /// <returns>Its length in <paramref name="target"/>.</returns>
    public static int Gzip(ReadOnlySpan<byte> bytes, byte[] target, CancellationToken cancellationToken)
    {
        using var stored = new MemoryStream(target);
        using (var gzip = new GZipStream(stored, Fast, leaveOpen: true))
            Write(gzip, bytes, cancellationToken);
        return (int)stored.Position;
    }

    private static void Write(Stream to, ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(bytes.Length, Slice)..])
        {
            cancellationToken.ThrowIfCancellationRequested();
            to.Write(bytes[..Math.Min(bytes.Length, Slice)]);
        }
    }
}
