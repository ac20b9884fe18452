using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace ClaimCheck.Testing;

/// <summary>
/// Gzip as read by those that stop after the first member: Ruby's Zlib.gunzip, PHP's gzdecode, Rust's GzDecoder, Python's
/// zlib.decompressobj, browsers' DecompressionStream (which refuses what follows).
/// </summary>
internal static class OneMember
{
    /// <summary>The first member's data; throws where its CRC-32 or length is wrong, or anything stands behind it.</summary>
    public static byte[] Read(byte[] stored)
    {
        if (stored.Length < 20 || !stored.AsSpan(0, 4).SequenceEqual((byte[])[0x1F, 0x8B, 8, 0]))
            throw new InvalidDataException("It begins with no plain gzip header.");
        var plain = Inflate(stored.AsMemory(10)); // stops at the first final block
        if (BinaryPrimitives.ReadUInt32LittleEndian(stored.AsSpan(^8)) != Crc32.HashToUInt32(plain))
            throw new InvalidDataException("The CRC-32 at the end is not that of the first member.");
        if (BinaryPrimitives.ReadUInt32LittleEndian(stored.AsSpan(^4)) != plain.Length)
            throw new InvalidDataException("The length at the end is not that of the first member.");
        return plain;
    }

    /// <summary>A block, fetched alone, as the contract says that it can be inflated: followed by <c>03 00</c>.</summary>
    public static byte[] Block(ReadOnlyMemory<byte> stored) => Inflate((byte[])[.. stored.Span, 3, 0]);

    private static byte[] Inflate(ReadOnlyMemory<byte> stored)
    {
        using var deflate = new DeflateStream(new MemoryStream(stored.ToArray()), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        deflate.CopyTo(plain);
        return plain.ToArray();
    }
}
