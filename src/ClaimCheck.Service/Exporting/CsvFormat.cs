using System.Text;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Exporting;

/// <summary>The database's own CSV, passed through; looked at only for the ends of records and for keys.</summary>
internal sealed class CsvFormat : IRecordFormat
{
    private const int Portion = 128 << 10;

    private readonly BlockBuilder blocks;
    private readonly KeyWatch keys;
    private QuoteScanner scanner;
    private int recordStart;

    public CsvFormat(IReadOnlyList<Column> columns, BlockBuilder blocks, KeyWatch keys)
    {
        this.blocks = blocks;
        this.keys = keys;
        Header = Encoding.UTF8.GetBytes(string.Join(',', columns.Select(column => Quoted(column.Name))) + '\n');
        // In a single column NULL and the empty text must differ, and an empty line must be a record.
        CopyOptions = columns.Count == 1 ? "FORMAT csv, FORCE_QUOTE *, ENCODING 'UTF8'" : "FORMAT csv, ENCODING 'UTF8'";
    }

    public string CopyOptions { get; }

    public ReadOnlyMemory<byte> Header { get; }

    public string Extension => "csv";

    public string ContentType => "text/csv";

    public Memory<byte> Space() => blocks.ReserveMemory(Portion)[..Portion];

    public void Accept(int count)
    {
        blocks.Advance(count);
        Scan(isLast: false);
    }

    public void EndCopy() => Scan(isLast: true);

    public void Finish() => blocks.Finish();

    private void Scan(bool isLast)
    {
        int end;
        while ((end = scanner.NextEnd(blocks.Written, isLast)) >= 0)
        {
            CheckKey(blocks.Written[recordStart..(end - 1)]);
            var moved = blocks.EndRecord(end);
            recordStart = end - moved;
            if (moved > 0)
                scanner.Rebase(moved);
        }
    }

    private void CheckKey(ReadOnlySpan<byte> record)
    {
        for (var column = 0; column < keys.Column; column++)
            record = record[(FieldLength(record) + 1)..];
        var key = record[..FieldLength(record)];
        // NULL is nothing at all; the empty text is a pair of quotes.
        if (key.IsEmpty)
            keys.SeeNull();
        keys.See(key);
        keys.Wanted?.Take(Plain(key));
    }

    private static ReadOnlySpan<byte> Plain(ReadOnlySpan<byte> key) =>
        key is [(byte)'"', .. var quoted, (byte)'"'] ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(quoted).Replace("\"\"", "\"", StringComparison.Ordinal)) : key;

    private static int FieldLength(ReadOnlySpan<byte> rest)
    {
        if (rest.IsEmpty || rest[0] != (byte)'"')
            return rest.IndexOf((byte)',') is var comma and >= 0 ? comma : rest.Length;
        var at = 1;
        while (true)
        {
            at += rest[at..].IndexOf((byte)'"') + 1;
            if (at >= rest.Length || rest[at] != (byte)'"')
                return at;
            at++; // a doubled quote
        }
    }

    private static string Quoted(string name) =>
        name.AsSpan().IndexOfAny("\",\r\n") >= 0 || name.Length == 0 ? $"\"{name.Replace("\"", "\"\"")}\"" : name;
}
