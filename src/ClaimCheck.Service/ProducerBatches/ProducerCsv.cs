using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.ProducerBatches;

/// <summary>
/// RFC 4180, strictly: a header of the columns' names, the same number of values in each record, quotes only around whole values.
/// </summary>
internal sealed class ProducerCsv(IReadOnlyList<Column> columns, string key, BlockBuilder blocks, int largestRecord, DistinctKeys? distinct = null)
    : ProducerRecords(blocks, largestRecord, distinct)
{
    private readonly int keyColumn = columns.ToList().FindIndex(column => column.Name == key);
    private QuoteScanner scanner;
    private bool hasHeader;

    /// <summary>The beginning of each file for consumers.</summary>
    public static byte[] HeaderOf(IReadOnlyList<Column> columns) => Encoding.UTF8.GetBytes(string.Join(',', columns.Select(column => Quoted(column.Name))) + '\n');

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
        SeeKey(CsvFormat.Plain(field));
    }

    private void CheckHeader(ReadOnlySpan<byte> line)
    {
        var rest = line;
        foreach (var (column, at) in columns.Select((column, at) => (column, at)))
        {
            var length = FieldLength(rest);
            if (Plain(rest[..length]) != column.Name || (at + 1 == columns.Count) != (length == rest.Length))
                throw new FormatException("is preceded by a header that does not name the columns, in their order");
            if (length < rest.Length)
                rest = rest[(length + 1)..];
        }
    }

    /// <returns>The length up to the next comma, or to the end.</returns>
    private static int FieldLength(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty || rest[0] != (byte)'"')
        {
            var length = rest.IndexOf((byte)',') is var comma and >= 0 ? comma : rest.Length;
            return rest[..length].Contains((byte)'"') ? throw new FormatException("has a quote within a value that is not quoted") : length;
        }

        var at = 1;
        while (true)
        {
            var quote = rest[at..].IndexOf((byte)'"');
            if (quote < 0)
                throw new FormatException("has a quoted value without an end");
            at += quote + 1;
            if (at == rest.Length || rest[at] == (byte)',')
                return at;
            if (rest[at] != (byte)'"')
                throw new FormatException("has something behind a quoted value");
            at++; // a doubled quote
        }
    }

    private static string Plain(ReadOnlySpan<byte> field)
    {
        var text = Encoding.UTF8.GetString(field);
        return text is ['"', .., '"'] ? text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : text;
    }

    private static string Quoted(string name) =>
        name.AsSpan().IndexOfAny("\",\r\n") >= 0 || name.Length == 0 ? $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : name;
}
