using System.Numerics;
using System.Runtime.Intrinsics;

namespace ClaimCheck.Service.Blocks;

/// <summary>Writes records of lines that are not long, as nearly all are: 32 bytes at a time, the ends of values and what has to
/// be escaped are found in one pass, and plain values are copied. Any other value is left to
/// <see cref="JsonValueWriter"/>.</summary>
/// <remarks>Value by value, 35,000,000 values took 1.35 seconds of CPU; so, 0.8.</remarks>
internal sealed class ShortRecords
{
    // What one byte of a line becomes at most: a control character is \u001f in JSON.
    private const int MostGrowth = 6;

    // More than quotes around a value, or null for \N.
    private const int MoreForValue = 4;

    private const int LongestLine = 8 << 10;

    private readonly JsonColumn[] columns;
    private readonly BlockBuilder blocks;
    private readonly KeyCheck keys;
    private readonly Action<ReadOnlySpan<byte>, int> writeOther;
    private readonly int fixedBytes;
    private readonly bool isUsable;

    /// <param name="columns">All columns.</param>
    /// <param name="blocks">Where the records go.</param>
    /// <param name="keys">Sees the keys of plain values.</param>
    /// <param name="writeOther">Writes the value of a column that is not plain, with its prefix.</param>
    public ShortRecords(JsonColumn[] columns, BlockBuilder blocks, KeyCheck keys, Action<ReadOnlySpan<byte>, int> writeOther)
    {
        (this.columns, this.blocks, this.keys, this.writeOther) = (columns, blocks, keys, writeOther);
        fixedBytes = columns.Sum(column => column.Prefix.Length + MoreForValue);
        isUsable = MostGrowth * LongestLine + (long)fixedBytes < blocks.LargestRecord;
    }

    /// <summary>Whether a line can be written so: none of its records is too large, and a vector can be read at its last
    /// byte.</summary>
    public bool CanWrite(int line, int behind) => isUsable && line <= LongestLine && behind >= Vector256<byte>.Count;

    /// <param name="bytes">The line, and a vector's length more.</param>
    /// <param name="length">Of the line.</param>
    /// <returns>How many values it has; no more are written than there are columns.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Write(ReadOnlySpan<byte> bytes, int length)
    {
        var space = blocks.Reserve(SpaceFor(length));
        var (at, column, start, isPlain) = (0, 0, 0, true);
        for (var position = 0; position < length; position += Vector256<byte>.Count)
        {
            var vector = Vector256.Create(bytes[position..]);
            var found = (Vector256.LessThan(vector, Vector256.Create((byte)' '))
                | Vector256.Equals(vector, Vector256.Create((byte)'"'))
                | Vector256.Equals(vector, Vector256.Create((byte)'\\'))).ExtractMostSignificantBits();
            if (length - position < Vector256<byte>.Count)
                found &= (1u << (length - position)) - 1;
            for (; found != 0; found &= found - 1)
            {
                var end = position + BitOperations.TrailingZeroCount(found);
                if (bytes[end] != (byte)'\t')
                {
                    isPlain = false;
                    continue;
                }

                if (column < columns.Length)
                    Write(bytes[start..], end - start, isPlain, column, length, ref space, ref at);
                (start, isPlain) = (end + 1, true);
                column++;
            }
        }

        if (column < columns.Length)
            Write(bytes[start..], length - start, isPlain, column, length, ref space, ref at);
        blocks.Advance(at);
        return column + 1;
    }

    private int SpaceFor(int line) => line + fixedBytes + 2 * Vector256<byte>.Count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Write(
        ReadOnlySpan<byte> value, int length, bool isPlain, int column, int line, ref Span<byte> space, ref int at)
    {
        var of = columns[column];
        var begin = at;
        at += Copy(of.PaddedPrefix, of.Prefix.Length, space[at..]);
        var isKey = column == keys.Column;
        if (!isPlain && !isKey && value is [(byte)'\\', (byte)'N', ..] && length == 2)
        {
            "null"u8.CopyTo(space[at..]);
            at += 4;
            return;
        }

        if (isPlain && TryWrite(value, length, of.Kind, space, ref at))
        {
            if (isKey)
            {
                keys.See(value[..length]);
                keys.Wanted?.Take(value[..length]);
            }

            return;
        }

        blocks.Advance(begin);
        writeOther(value[..length], column);
        space = blocks.Reserve(SpaceFor(line));
        at = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryWrite(ReadOnlySpan<byte> value, int length, JsonKind kind, Span<byte> space, ref int at)
    {
        var text = value[..length];
        switch (kind)
        {
            case JsonKind.Text:
            case JsonKind.Date when ValueForms.IsDate(text):
                space[at++] = (byte)'"';
                at += Copy(value, length, space[at..]);
                space[at++] = (byte)'"';
                return true;
            case JsonKind.Number when ValueForms.IsNumber(text):
                at += Copy(value, length, space[at..]);
                return true;
            case JsonKind.Timestamp when ValueForms.IsTimestamp(text, default, out var isCommon) && isCommon:
                WriteTime(value, length, space, ref at);
                return true;
            case JsonKind.TimestampWithZone when ValueForms.IsTimestamp(text, "+00"u8, out var isCommon) && isCommon:
                WriteTime(value, length - 3, space, ref at);
                space[at - 1] = (byte)'Z';
                space[at++] = (byte)'"';
                return true;
            default:
                return false;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteTime(ReadOnlySpan<byte> value, int length, Span<byte> space, ref int at)
    {
        space[at++] = (byte)'"';
        Copy(value, length, space[at..]);
        space[at + 10] = (byte)'T';
        at += length;
        space[at++] = (byte)'"';
    }

    // A vector at a time, and so more than that: 2 ns less than a call of memmove for the few bytes of most values.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Copy(ReadOnlySpan<byte> bytes, int length, Span<byte> space)
    {
        var at = 0;
        do
        {
            Vector256.Create(bytes[at..]).CopyTo(space[at..]);
            at += Vector256<byte>.Count;
        }
        while (at < length);
        return length;
    }
}
