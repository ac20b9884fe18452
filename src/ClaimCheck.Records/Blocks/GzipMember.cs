using System.Buffers.Binary;

namespace ClaimCheck.Records.Blocks;

/// <summary>The bytes around the blocks of a file in <see cref="BlockFraming.Deflate"/> (RFC 1952).</summary>
internal static class GzipMember
{
    /// <summary>The length of the header.</summary>
    public const int HeaderBytes = 10;

    /// <summary>The length of the end: <c>03 00</c>, the final deflate block, which is empty; CRC-32; length.</summary>
    public const int TrailerBytes = 10;

    private const int LengthOffset = 6;

    /// <summary>Deflate, no flags, no time, an unknown system: the same for every file.</summary>
    public static ReadOnlySpan<byte> Header => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

    private static ReadOnlySpan<byte> FinalBlock => [3, 0];

    /// <summary>The end of a member.</summary>
    /// <param name="crc32">Of all its data, before compression.</param>
    /// <param name="length">Its length before compression.</param>
    public static byte[] Trailer(uint crc32, long length)
    {
        var trailer = new byte[TrailerBytes];
        FinalBlock.CopyTo(trailer);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(FinalBlock.Length), crc32);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(LengthOffset), unchecked((uint)length));
        return trailer;
    }

    /// <summary>
    /// Whether it is a header without flags: behind one with a name or a comment the data would begin elsewhere.
    /// </summary>
    public static bool IsHeader(ReadOnlySpan<byte> bytes) => bytes.Length == HeaderBytes && bytes[..4].SequenceEqual(Header[..4]);

    /// <summary>Whether it is the end of a member of this length. The CRC-32 is for readers that have all of the data.</summary>
    public static bool IsTrailer(ReadOnlySpan<byte> bytes, long length) =>
        bytes.Length == TrailerBytes
        && bytes[..FinalBlock.Length].SequenceEqual(FinalBlock)
        && BinaryPrimitives.ReadUInt32LittleEndian(bytes[LengthOffset..]) == unchecked((uint)length);
}
