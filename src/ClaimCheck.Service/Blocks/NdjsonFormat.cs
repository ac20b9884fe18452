using System.Text.Unicode;

namespace ClaimCheck.Service.Blocks;

/// <summary>COPY's text format (one line per record, tabs between values), converted into one JSON object per line.</summary>
internal sealed class NdjsonFormat : IRecordFormat
{
    private const int UsualLines = 256 << 10;

    private readonly BlockBuilder blocks;
    private readonly KeyCheck keys;
    private readonly CancellationToken cancellationToken;
    private readonly JsonColumn[] columns;
    private readonly ShortRecords shortRecords;
    private JsonValueWriter values;
    private CopyText copyText = new();
    private byte[] lines = new byte[UsualLines];
    private int filled;
    private int searched;

    // The place of the one that is written, perhaps a second time: its key has been seen, or not.
    private long? record;
    private bool isKeySeen;

    public NdjsonFormat(
        IReadOnlyList<ResultColumn> columns, BlockBuilder blocks, KeyCheck keys, CancellationToken cancellationToken)
    {
        this.blocks = blocks;
        this.keys = keys;
        this.cancellationToken = cancellationToken;
        values = new JsonValueWriter(blocks, cancellationToken);
        this.columns = [.. columns.Select((column, index) => new JsonColumn(column, isFirst: index == 0))];
        shortRecords = new ShortRecords(this.columns, blocks, keys, WriteColumn);
    }

    public string CopyOptions => "FORMAT text, ENCODING 'UTF8'";

    public ReadOnlyMemory<byte> Header => default;

    public string Extension => "ndjson";

    public string ContentType => "application/x-ndjson";

    public bool WantsLargeTurn { get; private set; }

    public Memory<byte> Space()
    {
        if (filled == lines.Length)
        {
            // A value may be half as long in JSON as in COPY's text, where backslashes and bytes are longer; never a quarter.
            if (lines.Length > Math.Min(4L * blocks.LargestRecord, 1 << 29))
            {
                var (column, held) = OversizedRecord.LargestValue(lines);
                record = keys.Place;
                throw TooLarge(filled, isWhole: false, column, held);
            }

            Array.Resize(ref lines, lines.Length * 2);
        }

        return lines.AsMemory(filled, Math.Min(lines.Length - filled, 2 * blocks.Portion));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Accept(int count)
    {
        filled += count;
        WantsLargeTurn = false;
        var start = 0;
        // Line feeds inside values are escaped: each one ends a record.
        while (!WantsLargeTurn && lines.AsSpan(searched, filled - searched).IndexOf((byte)'\n') is var length and >= 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            searched += length + 1;
            WantsLargeTurn = !TryWriteRecord(lines.AsSpan(start), searched - 1 - start);
            start = WantsLargeTurn ? start : searched;
        }

        lines.AsSpan(start, filled - start).CopyTo(lines);
        filled -= start;
        searched = WantsLargeTurn ? 0 : filled;
        if (start > 0 && lines.Length > BlockBuilder.LargeSource && filled <= UsualLines)
            Shrink();
        WantsLargeTurn |= filled == lines.Length && filled >= BlockBuilder.LargeSource && !blocks.MayGrow;
    }

    public void EndCopy()
    {
        // Each line was processed when it was complete.
        if (filled > 0)
            throw ValueRefusal.OfRecord(keys.Place, "has no end");
    }

    public void Finish() => blocks.Finish();

    // Nothing of a large record is kept.
    private void Shrink()
    {
        Array.Resize(ref lines, UsualLines);
        copyText = new();
        values = new(blocks, cancellationToken);
    }

    /// <returns>False where it needs a larger buffer, and its turn: it is written again then.</returns>
    private bool TryWriteRecord(ReadOnlySpan<byte> bytes, int length)
    {
        try
        {
            WriteRecord(bytes, length);
            isKeySeen = false;
            return true;
        }
        catch (NoLargeTurnException)
        {
            blocks.DropOpen();
            return false;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void WriteRecord(ReadOnlySpan<byte> bytes, int length)
    {
        if (!isKeySeen)
            record = keys.Place;
        var line = bytes[..length];
        if (!Utf8.IsValid(line))
            throw ValueRefusal.OfRecord(record, "is not UTF-8");
        if (!shortRecords.CanWrite(length, bytes.Length - length))
            WriteLong(line);
        else if (shortRecords.Write(bytes, length) != columns.Length)
            throw WrongCount();
        blocks.Append("}\n"u8);
        blocks.EndRecord(blocks.Written.Length);
    }

    private void WriteLong(ReadOnlySpan<byte> line)
    {
        var (largest, most) = (0, -1);
        for (var i = 0; i < columns.Length; i++)
        {
            var length = line.IndexOf((byte)'\t');
            if (length < 0 != (i == columns.Length - 1))
                throw WrongCount();
            var value = length < 0 ? line : line[..length];
            line = length < 0 ? default : line[(length + 1)..];
            var before = blocks.Open;
            try
            {
                WriteColumn(value, i);
            }
            catch (BlockFullException)
            {
                if (blocks.Open - before >= most)
                    (largest, most) = (i, blocks.Open - before);
                throw TooLarge(blocks.Open, isWhole: false, largest, most);
            }

            if (blocks.Open - before > most)
                (largest, most) = (i, blocks.Open - before);
        }

        // The brace and the line feed have room beyond the limit of a record.
        const int end = 2;
        if (blocks.Open + end > blocks.LargestRecord)
            throw TooLarge(blocks.Open + end, isWhole: true, largest, most);
    }

    private SourceException WrongCount() => ValueRefusal.OfRecord(record, $"does not have {columns.Length} values");

    private SourceException TooLarge(long bytes, bool isWhole, int column, int held) =>
        OversizedRecord.Of(
            record, bytes, isWhole, blocks.LargestRecord, columns[Math.Min(column, columns.Length - 1)].Name, held);

    private void WriteColumn(ReadOnlySpan<byte> value, int column)
    {
        var of = columns[column];
        blocks.Append(of.Prefix);
        var isNull = value is [(byte)'\\', (byte)'N'];
        if (column == keys.Column && !isKeySeen)
        {
            if (isNull)
                keys.SeeNull();
            keys.See(value);
            keys.Wanted?.Take(copyText.Unescape(value));
            isKeySeen = true;
        }

        try
        {
            if (isNull)
                blocks.Append("null"u8);
            else
                values.WriteCopied(value, of.Kind, of.Type);
        }
        catch (FormatException e)
        {
            throw ValueRefusal.OfColumn(of.Name, record, e);
        }
    }
}
