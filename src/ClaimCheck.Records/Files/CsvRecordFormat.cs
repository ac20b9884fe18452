using ClaimCheck.Records.Csv;

namespace ClaimCheck.Records.Files;

/// <summary>RFC 4180 with LF or CRLF: a value without quotes and without text is null, <c>""</c> is the empty text.</summary>
internal sealed class CsvRecordFormat(byte delimiter) : RecordFormat
{
    private const byte Quote = CsvField.Quote;

    private readonly Dictionary<string, int> columns = new(StringComparer.Ordinal);
    private readonly List<FieldPlace> fields = [];
    private ReadOnlyMemory<byte> header;
    private JsonEncodedText[] names = [];
    private ReadOnlyMemory<byte> record;
    private byte[] unescaped = new byte[256];
    private CsvPlace place;

    public override bool IsOpen => place == CsvPlace.InQuotes;

    public override int FindEnd(ReadOnlySpan<byte> next)
    {
        for (var at = 0; at < next.Length;)
        {
            switch (place)
            {
                case CsvPlace.FieldStart:
                    place = next[at] == Quote ? CsvPlace.InQuotes : CsvPlace.InField;
                    at += place == CsvPlace.InQuotes ? 1 : 0;
                    break;
                case CsvPlace.InField:
                    var end = next[at..].IndexOfAny(delimiter, (byte)'\n');
                    if (end < 0)
                        return -1;
                    at += end;
                    place = CsvPlace.FieldStart;
                    if (next[at] == (byte)'\n')
                        return at;
                    at++;
                    break;
                case CsvPlace.InQuotes:
                    var quote = next[at..].IndexOf(Quote);
                    if (quote < 0)
                        return -1;
                    at += quote + 1;
                    place = CsvPlace.BehindQuote;
                    break;
                default:
                    place = next[at] == Quote ? CsvPlace.InQuotes : CsvPlace.InField;
                    at += place == CsvPlace.InQuotes ? 1 : 0;
                    break;
            }
        }
        return -1;
    }

    public override bool IsBlank(ReadOnlySpan<byte> record) => record.IsEmpty && names.Length != 1;

    /// <exception cref="RecordFileException">The header is invalid.</exception>
    public void TakeHeader(ReadOnlyMemory<byte> header)
    {
        this.header = header;
        if (Split(header) is not null)
            throw new RecordFileException(RecordCodes.BadHeader, "The header's quotes are not those of RFC 4180.");
        names = new JsonEncodedText[fields.Count];
        for (var i = 0; i < fields.Count; i++)
        {
            var name = Encoding.UTF8.GetString(Get(i).Utf8);
            if (name.Length == 0 || name.Any(char.IsControl))
                throw new RecordFileException(
                    RecordCodes.BadHeader, $"Column {i + 1} of the header has no name, or a control character in it.");
            if (!columns.TryAdd(name, i))
                throw new RecordFileException(RecordCodes.BadHeader, $"Two columns of the header are called '{name}'.");
            names[i] = JsonEncodedText.Encode(name, RecordJson.Encoder);
        }
    }

    public override RecordFault? Take(ReadOnlyMemory<byte> record) => Split(record)
        ?? (fields.Count == names.Length
            ? null
            : new RecordFault(RecordCodes.WrongFieldCount, $"The record has {fields.Count} fields, the header {names.Length}."));

    public override int Find(string field) => columns.TryGetValue(field, out var index) ? index : -1;

    public override SourceValue Get(int field)
    {
        var (start, length) = fields[field];
        return length == 0
            ? new(ValueKind.Null, default)
            : new(ValueKind.Text, CsvField.Value(record.Span.Slice(start, length), ref unescaped));
    }

    public override bool TryWriteFields(Utf8JsonWriter json)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            var value = Get(i);
            if (value.Kind == ValueKind.Null)
                json.WriteNull(names[i]);
            else
                json.WriteString(names[i], value.Utf8);
        }
        return true;
    }

    public override void WriteSource(Utf8JsonWriter json, ReadOnlyMemory<byte> record)
    {
        if (Take(record) is not null)
        {
            json.WriteStringValue(record.Span);
            return;
        }
        json.WriteStartObject();
        TryWriteFields(json);
        json.WriteEndObject();
    }

    public override RecordFormat Again()
    {
        var again = new CsvRecordFormat(delimiter);
        again.TakeHeader(header);
        return again;
    }

    private RecordFault? Split(ReadOnlyMemory<byte> record)
    {
        this.record = record;
        fields.Clear();
        var bytes = record.Span;
        for (var at = 0; ; at++)
        {
            var length = CsvField.Length(bytes[at..], out _, delimiter);
            if (length < 0)
                return new RecordFault(RecordCodes.BadQuoting, "A quote is where RFC 4180 does not allow one.");
            fields.Add(new(at, length));
            at += length;
            if (at == bytes.Length)
                return null;
        }
    }

    private enum CsvPlace
    {
        FieldStart,
        InField,
        InQuotes,
        BehindQuote,
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct FieldPlace(int Start, int Length);
}
