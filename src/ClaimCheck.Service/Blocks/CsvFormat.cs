using System.Text.Unicode;
using ClaimCheck.Records.Csv;

namespace ClaimCheck.Service.Blocks;

/// <summary>The database's own CSV, passed through; parsed only for the ends of records and for keys.</summary>
internal sealed class CsvFormat : IRecordFormat
{
    private readonly BlockBuilder blocks;
    private readonly KeyCheck keys;
    private readonly CancellationToken cancellationToken;
    private readonly IReadOnlyList<Column> columns;
    private QuoteScanner scanner;
    private int recordStart;
    private byte[] unquoted = [];

    public CsvFormat(IReadOnlyList<Column> columns, BlockBuilder blocks, KeyCheck keys, CancellationToken cancellationToken)
    {
        this.blocks = blocks;
        this.keys = keys;
        this.cancellationToken = cancellationToken;
        this.columns = columns;
        Header = CsvField.Header(columns.Select(column => column.Name));
        // In a single column NULL and the empty text must differ, and an empty line must be a record.
        CopyOptions = columns.Count == 1 ? "FORMAT csv, FORCE_QUOTE *, ENCODING 'UTF8'" : "FORMAT csv, ENCODING 'UTF8'";
    }

    public string CopyOptions { get; }

    public ReadOnlyMemory<byte> Header { get; }

    public string Extension => "csv";

    public string ContentType => "text/csv";

    public bool WantsLargeTurn { get; private set; }

    public Memory<byte> Space() => blocks.ReserveMemory(blocks.Portion)[..blocks.Portion];

    public void Accept(int count)
    {
        blocks.Advance(count);
        Scan(isLast: false);
        WantsLargeTurn = !blocks.TryReserve(blocks.Portion);
        Move(recordStart - (blocks.Written.Length - blocks.Open));
    }

    public void EndCopy()
    {
        Scan(isLast: true);
        if (recordStart < blocks.Written.Length)
            throw ValueRefusal.OfRecord(keys.Place, "has no end");
    }

    public void Finish() => Move(blocks.Finish());

    private void Move(int moved)
    {
        recordStart -= moved;
        if (moved > 0)
            scanner.Rebase(moved);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scan(bool isLast)
    {
        int end;
        while ((end = scanner.NextEnd(blocks.Written, isLast)) >= 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (end - recordStart > blocks.LargestRecord)
                throw TooLarge(blocks.Written[recordStart..end], isWhole: true);
            Check(blocks.Written[recordStart..(end - 1)]);
            recordStart = end;
            Move(blocks.EndRecord(end));
        }

        // A record that is too large already need not be buffered; whether its end is among the last few bytes is not known yet.
        if (blocks.Written.Length - recordStart > blocks.LargestRecord + QuoteScanner.Stride)
            throw TooLarge(blocks.Written[recordStart..], isWhole: false);
    }

    private SourceException TooLarge(ReadOnlySpan<byte> record, bool isWhole)
    {
        var (column, held) = OversizedRecord.LargestField(isWhole ? record[..^1] : record);
        return OversizedRecord.Of(
            keys.Place, record.Length, isWhole, blocks.LargestRecord, columns[Math.Min(column, columns.Count - 1)].Name, held);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Check(ReadOnlySpan<byte> record)
    {
        if (!Utf8.IsValid(record))
            throw ValueRefusal.OfRecord(keys.Place, "is not UTF-8");
        for (var column = 0; column < keys.Column; column++)
        {
            var length = FieldLength(record);
            if (length == record.Length)
                throw NotCsv();
            record = record[(length + 1)..];
        }

        CheckKey(record[..FieldLength(record)]);
    }

    private void CheckKey(ReadOnlySpan<byte> key)
    {
        // An empty field is NULL; the empty text is a pair of quotes.
        if (key.IsEmpty)
            keys.SeeNull();
        keys.See(key);
        keys.Wanted?.Take(CsvField.Value(key, ref unquoted));
    }

    private int FieldLength(ReadOnlySpan<byte> rest) =>
        CsvField.Length(rest, out _) is var length and >= 0 ? length : throw NotCsv();

    private SourceException NotCsv() => ValueRefusal.OfRecord(keys.Place, $"is not CSV of {columns.Count} values");
}
