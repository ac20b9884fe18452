using ClaimCheck.Records.Csv;

namespace ClaimCheck.Records.Blocks;

/// <summary>
/// RFC 4180 with LF, as Postgres writes it: an empty field is NULL, <c>""</c> is the empty text; a blank line is one NULL where
/// there is one column. Values are found by vectorised search; doubled quotes are unescaped in place.
/// </summary>
internal sealed class CsvRows(IReadOnlyList<Column> columns, RowErrors errors) : Rows(columns, errors)
{
    private const byte Quote = CsvField.Quote;
    private const byte Comma = (byte)',';
    private const byte Newline = (byte)'\n';

    private static readonly SearchValues<byte> Special = SearchValues.Create(",\n\""u8);

    /// <summary>Whether these bytes are a header line that names the columns in order, and nothing else.</summary>
    public static bool IsHeader(byte[] line, IReadOnlyList<Column> columns)
    {
        var header = new CsvRows(columns, RowErrors.OfFormat);
        header.Load(line, line.Length, "", 0);
        try
        {
            if (!header.Next())
                return false;
            for (var i = 0; i < columns.Count; i++)
            {
                if (Encoding.UTF8.GetString(header.Text(i)) != columns[i].Name)
                    return false;
            }
            return !header.Next();
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public override ReadOnlySpan<byte> Text(int slot) =>
        Lengths[slot] is var length and > 0 ? Buffer.AsSpan(Starts[slot], length) : default;

    public override ReadOnlySpan<byte> Json(int slot) => Text(slot);

    protected override void Find()
    {
        var bytes = Buffer.AsSpan(0, End);
        var starts = Starts;
        var lengths = Lengths;
        var position = Position;
        var origin = Origin;
        var last = Columns.Count - 1;
        for (var column = 0; column <= last; column++)
        {
            if ((uint)position < (uint)bytes.Length && bytes[position] == Quote)
            {
                position = FindQuoted(bytes, position + 1, origin + column);
            }
            else
            {
                var length = bytes[position..].IndexOfAny(Special);
                if (length < 0)
                    throw Broken("it has no end");
                starts[origin + column] = position;
                lengths[origin + column] = length == 0 ? -1 : length;
                position += length;
            }
            if ((uint)position >= (uint)bytes.Length || bytes[position] != (column == last ? Newline : Comma))
                throw Broken($"it does not have {Columns.Count} fields, or a quote is where none is allowed");
            position++;
        }
        Position = position;
    }

    // From behind the opening quote; returns the position behind the closing one.
    private int FindQuoted(Span<byte> bytes, int start, int slot)
    {
        var (from, to) = (start, start);
        while (true)
        {
            var run = bytes[from..].IndexOf(Quote);
            if (run < 0)
                throw Broken("a quoted field has no end");
            if (to != from)
            {
                Change();
                bytes.Slice(from, run).CopyTo(bytes[to..]);
            }
            to += run;
            from += run + 1;
            if (from >= bytes.Length || bytes[from] != Quote)
                break;
            bytes[to++] = Quote;
            from++;
        }
        Starts[slot] = start;
        Lengths[slot] = to - start;
        return from;
    }
}
