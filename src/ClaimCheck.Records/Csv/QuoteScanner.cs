using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ClaimCheck.Records.Csv;

/// <summary>
/// Finds the ends of CSV records, 64 bytes at a time: a bit for each quote, made into a bit for each byte between quotes,
/// takes the line feeds of quoted values out. Doubled quotes inside a value close and open it again, which comes to the same.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct QuoteScanner
{
    /// <summary>How many bytes at the end may not have been looked at yet.</summary>
    public const int Stride = 64;

    private int scanned;      // bytes behind this are in the mask or dealt with
    private ulong lineFeeds;  // ends of records found but not yet given out; bit 0 is the byte at maskStart
    private int maskStart;
    private ulong inside;     // all ones while a quoted value is open at "scanned"

    /// <summary>The place after the next record's line feed, or -1 where more bytes are needed.</summary>
    /// <param name="bytes">All bytes from the same start as in the last call (but see <see cref="Rebase"/>).</param>
    /// <param name="isLast">True when no more will come: then the last few are looked at too.</param>
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

    /// <summary>The first <paramref name="count"/> bytes were taken away.</summary>
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

    // The running exclusive or: bit n tells whether an odd number of quotes lies at or before n.
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
