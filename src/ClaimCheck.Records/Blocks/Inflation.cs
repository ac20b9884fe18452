using System.IO.Compression;
using System.Security.Cryptography;

namespace ClaimCheck.Records.Blocks;

/// <summary>
/// Inflates a block into a buffer of exactly the announced length, and never further: decompression bombs stop there.
/// </summary>
internal static class Inflation
{
    private const int MarkLength = 16;

    // Random: no writer of a block can know it.
    private static readonly byte[] Mark = RandomNumberGenerator.GetBytes(MarkLength);

    // Behind a valid block: a final deflate block with the mark, which is then inflated behind the block's data, and the stream
    // ends. Where the block itself contains a final block, or stray bytes, or ends within a byte or a deflate block, the mark
    // does not appear; and where the block consumes the mark as its own data, the stream does not end there, and the last byte is
    // inflated too.
    private static readonly byte[] End = [1, MarkLength, 0, 0xFF ^ MarkLength, 0xFF, .. Mark, 0, 1, 0, 0xFE, 0xFF, 0];

    /// <summary>How many bytes of its buffer must be free behind a stored block.</summary>
    public static int Room => End.Length;

    /// <param name="framing"><see cref="BlockFraming.Deflate"/> or <see cref="BlockFraming.Gzip"/>.</param>
    /// <param name="stored">The buffer with the block; the <see cref="Room"/> bytes behind it are overwritten.</param>
    /// <param name="offset">Where the block begins.</param>
    /// <param name="storedLength">Its stored bytes.</param>
    /// <param name="into">As long as the block's data should be.</param>
    /// <returns>False where it is not a block of that framing, or is shorter or longer than <paramref name="into"/>.</returns>
    public static bool TryInflate(string framing, byte[] stored, int offset, int storedLength, Span<byte> into)
    {
        try
        {
            return framing switch
            {
                BlockFraming.Deflate => TryDeflate(stored, offset, storedLength, into),
                BlockFraming.Gzip => TryGzip(stored, offset, storedLength, into),
                _ => throw new ArgumentOutOfRangeException(nameof(framing), framing, "Nothing is compressed in this framing."),
            };
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static bool TryDeflate(byte[] stored, int offset, int storedLength, Span<byte> into)
    {
        End.CopyTo(stored, offset + storedLength);
        using var source = new MemoryStream(stored, offset, storedLength + End.Length, writable: false);
        using var deflate = new DeflateStream(source, CompressionMode.Decompress);
        Span<byte> mark = stackalloc byte[MarkLength];
        return Fills(deflate, into) && Fills(deflate, mark) && mark.SequenceEqual(Mark) && Ends(deflate);
    }

    private static bool TryGzip(byte[] stored, int offset, int storedLength, Span<byte> into)
    {
        using var source = new MemoryStream(stored, offset, storedLength, writable: false);
        using var gzip = new GZipStream(source, CompressionMode.Decompress);
        return Fills(gzip, into) && Ends(gzip);
    }

    private static bool Fills(Stream inflated, Span<byte> into) =>
        inflated.ReadAtLeast(into, into.Length, throwOnEndOfStream: false) == into.Length;

    private static bool Ends(Stream inflated)
    {
        Span<byte> oneMore = stackalloc byte[1];
        return inflated.Read(oneMore) == 0;
    }
}
