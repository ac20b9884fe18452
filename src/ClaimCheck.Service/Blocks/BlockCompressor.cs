using System.IO.Compression;
using ClaimCheck.Records.Blocks;

namespace ClaimCheck.Service.Blocks;

/// <summary>Compresses ranges of bytes independently: with ISA-L where the machine has it, else with .NET's zlib-ng.</summary>
internal static class BlockCompressor
{
    // Level 1 of zlib-ng writes a third more than gzip -1 does; level 2 writes less, in two thirds of the time.
    private static readonly ZLibCompressionOptions Fast = new() { CompressionLevel = 2 };

    // A block is usually a mebibyte, but as large as its one record where that is huge: a worker must be able to stop in between.
    private const int Slice = 4 << 20;

    /// <summary>The library in use, for the log.</summary>
    public static string Library => NativeDeflate.IsAvailable ? "ISA-L" : "zlib-ng";

    /// <summary>The buffer size for a block's compressed bytes: incompressible bytes grow by an eighth at most (9 bits a byte in
    /// the fixed code).</summary>
    public static int Bound(int length) => length + (length >> 3) + 4096;

    /// <summary>Deflate blocks, none of them the final one, that refer to nothing before them and end on a byte
    /// boundary.</summary>
    /// <returns>Their length in <paramref name="target"/>.</returns>
    public static int Deflate(ReadOnlySpan<byte> bytes, Span<byte> target, CancellationToken cancellationToken) =>
        Deflate(bytes, target, NativeDeflate.IsAvailable, cancellationToken);

    internal static int Deflate(ReadOnlySpan<byte> bytes, Span<byte> target, bool natively, CancellationToken cancellationToken)
    {
        var length = 0;
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(bytes.Length, Slice)..])
        {
            cancellationToken.ThrowIfCancellationRequested();
            var slice = bytes[..Math.Min(bytes.Length, Slice)];
            length += natively ? NativeDeflate.Deflate(slice, target[length..]) : Managed(slice, target[length..]);
        }

        return length;
    }

    /// <summary>A gzip member.</summary>
    /// <returns>Its length in <paramref name="target"/>.</returns>
    public static int Gzip(ReadOnlySpan<byte> bytes, Span<byte> target, CancellationToken cancellationToken)
    {
        GzipMember.Header.CopyTo(target);
        var length = GzipMember.HeaderBytes + Deflate(bytes, target[GzipMember.HeaderBytes..], cancellationToken);
        var sum = Crc32Sum.Of(bytes);
        GzipMember.Trailer(sum.Crc32, sum.Length).CopyTo(target[length..]);
        return length + GzipMember.TrailerBytes;
    }

    private static unsafe int Managed(ReadOnlySpan<byte> bytes, Span<byte> target)
    {
        fixed (byte* to = target)
        {
            using var stored = new UnmanagedMemoryStream(to, 0, target.Length, FileAccess.Write);
            using var deflate = new DeflateStream(stored, Fast, leaveOpen: true);
            deflate.Write(bytes);
            deflate.Flush(); // with an empty stored block, which ends on a byte boundary
            return (int)stored.Position; // the final block, which closing appends, does not count
        }
    }
}
