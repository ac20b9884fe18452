using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Blocks;

/// <summary>The CRC-32 and length of a range of bytes: enough to compute the CRC-32 of concatenated ranges.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Crc32Sum(uint Crc32, long Length)
{
    private const uint Polynomial = 0xEDB88320;
    private const uint One = 0x80000000; // the polynomial 1: the highest bit is the lowest power
    private const int Powers = 64;

    // x to the power of 8 · 2^n modulo the CRC's polynomial, for n bits of a length in bytes.
    private static readonly uint[] PowersOfBytes = Squares();

    public static Crc32Sum Of(ReadOnlySpan<byte> bytes) => new(System.IO.Hashing.Crc32.HashToUInt32(bytes), bytes.Length);

    /// <summary>Of this range followed by the other, with one step for each bit of the length.</summary>
    public Crc32Sum Then(Crc32Sum next)
    {
        // Each zero byte behind the first range multiplies its remainder by x^8; the rest of a CRC is linear.
        var shift = One;
        for (var (left, power) = (next.Length, 0); left > 0; left >>= 1, power++)
        {
            if ((left & 1) != 0)
                shift = Multiply(shift, PowersOfBytes[power]);
        }

        return new(Multiply(Crc32, shift) ^ next.Crc32, Length + next.Length);
    }

    private static uint Multiply(uint a, uint b)
    {
        var product = 0u;
        for (var bit = One; bit != 0; bit >>= 1)
        {
            if ((a & bit) != 0)
                product ^= b;
            b = (b >> 1) ^ ((b & 1) * Polynomial);
        }

        return product;
    }

    private static uint[] Squares()
    {
        var powers = new uint[Powers];
        powers[0] = One >> 8;
        for (var n = 1; n < Powers; n++)
            powers[n] = Multiply(powers[n - 1], powers[n - 1]);
        return powers;
    }
}
