using System.Numerics;
using System.Runtime.Intrinsics;

namespace ClaimCheck.Records.Csv;

/// <summary>
/// Finds the ends of CSV records, 64 bytes at a time: a bit for each quote, turned into a bit for each byte between quotes,
/// masks the line feeds of quoted values. Doubled quotes inside a value close and open it again, with the same result.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct QuoteScanner
{
    /// <summary>How many bytes at the end may not be scanned yet.</summary>
    public const int Stride = 64;

    private int scanned;      // bytes behind this are in the mask or processed
    private ulong lineFeeds;  // ends of records found but not returned yet; bit 0 is the byte at maskStart
    private int maskStart;
    private ulong inside;     // all ones while a quoted value is open at "scanned"

    /// <summary>The position after the next record's line feed, or -1 where more bytes are needed.</summary>
    /// <param name="bytes">All bytes from the same start as in the last call (but see <see cref="Rebase"/>).</param>
    /// <param name="isLast">True when no more will come: then the last few are scanned too.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int NextEnd(ReadOnlySpan<byte> bytes, bool isLast)
    {
        while (lineFeeds == 0)
        {
            var rest = bytes[scanned..];
            if (rest.Length >= Stride)
            {
                Scan(rest, Stride);
            }
            else if (isLast && rest.Length > 0)
            {
                ScanTail(rest);
            }
            else
            {
                return -1;
            }
        }

        var end = maskStart + BitOperations.TrailingZeroCount(lineFeeds) + 1;
        lineFeeds &= lineFeeds - 1;
        return end;
    }

    /// <summary>The first <paramref name="count"/> bytes were removed.</summary>
    public void Rebase(int count)
    {
        scanned -= count;
        maskStart -= count;
    }

    private void ScanTail(ReadOnlySpan<byte> bytes)
    {
        Span<byte> padded = stackalloc byte[Stride];
        padded.Clear();
        bytes.CopyTo(padded);
        Scan(padded, bytes.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scan(ReadOnlySpan<byte> bytes, int length)
    {
        var quoted = Between(Mask(bytes, (byte)'"')) ^ inside;
        lineFeeds = Mask(bytes, (byte)'\n') & ~quoted;
        inside = (ulong)((long)quoted >> 63);
        maskStart = scanned;
        scanned += length;
    }

    private static ulong Mask(ReadOnlySpan<byte> bytes, byte value) =>
        Vector512.Equals(Vector512.Create(bytes), Vector512.Create(value)).ExtractMostSignificantBits();

    // The prefix xor: bit n tells whether an odd number of quotes is at or before n.
    private static ulong Between(ulong quotes)
    {
        quotes ^= quotes << 1;
        quotes ^= quotes << 2;
        quotes ^= quotes << 4;
        quotes ^= quotes << 8;
        quotes ^= quotes << 16;
        return quotes ^ (quotes << 32);
    }
}
