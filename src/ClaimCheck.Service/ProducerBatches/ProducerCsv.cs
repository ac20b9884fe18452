using ClaimCheck.Records.Csv;

namespace ClaimCheck.Service.ProducerBatches;

/// <summary>RFC 4180, strictly: a header of the columns' names, the same number of values in each record, quotes only around
/// whole values.</summary>
internal sealed class ProducerCsv(
    IReadOnlyList<Column> columns, string key, BlockBuilder blocks, int largestRecord, DistinctKeys? distinct = null)
    : ProducerRecords(blocks, largestRecord, distinct)
{
    private readonly int keyColumn = columns.ToList().FindIndex(column => column.Name == key);
    private QuoteScanner scanner;
    private bool hasHeader;
    private byte[] unquoted = [];

    /// <summary>The beginning of each file for consumers.</summary>
    public static byte[] HeaderOf(IReadOnlyList<Column> columns) => CsvField.Header(columns.Select(column => column.Name));

    protected override void Restart() => (scanner, hasHeader) = (default, false);

    protected override int NextEnd(ReadOnlySpan<byte> bytes, bool isLast) => scanner.NextEnd(bytes, isLast);

    protected override void Rebase(int count) => scanner.Rebase(count);

    protected override bool Check(ReadOnlySpan<byte> record)
    {
        if (!hasHeader)
        {
            CheckHeader(record);
            hasHeader = true;
            return false;
        }

        var rest = record;
        for (var column = 0; ; column++)
        {
            var length = FieldLength(rest);
            if (column == keyColumn)
                CheckKey(rest[..length]);
            if (length == rest.Length)
            {
                return column + 1 == columns.Count
                    ? true
                    : throw new FormatException($"has {column + 1} values, not {columns.Count}");
            }

            if (column + 1 == columns.Count)
                throw new FormatException($"has more than {columns.Count} values");
            rest = rest[(length + 1)..];
        }
    }

    protected override void CheckEnd(bool hadAny)
    {
        if (!hasHeader)
            throw new FormatException("has no header");
    }

    private void CheckKey(ReadOnlySpan<byte> field)
    {
        if (field.IsEmpty)
            throw new FormatException("has no key");
        SeeKey(CsvField.Value(field, ref unquoted));
    }

    private void CheckHeader(ReadOnlySpan<byte> line)
    {
        var rest = line;
        foreach (var (column, at) in columns.Select((column, at) => (column, at)))
        {
            var length = FieldLength(rest);
            if (Encoding.UTF8.GetString(CsvField.Value(rest[..length], ref unquoted)) != column.Name
                || (at + 1 == columns.Count) != (length == rest.Length))
                throw new FormatException("is preceded by a header that does not name the columns, in their order");
            if (length < rest.Length)
                rest = rest[(length + 1)..];
        }
    }

    private static int FieldLength(ReadOnlySpan<byte> rest)
    {
        var length = CsvField.Length(rest, out var flaw);
        return flaw switch
        {
            CsvFlaw.None => length,
            CsvFlaw.QuoteInText => throw new FormatException("has a quote within a value that is not quoted"),
            CsvFlaw.OpenQuote => throw new FormatException("has a quoted value without an end"),
            _ => throw new FormatException("has something behind a quoted value"),
        };
    }
}
