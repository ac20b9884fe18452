using System.Text;
using System.Text.Json;
using ClaimCheck.Import.Mapping;

namespace ClaimCheck.Import.Reading;

/// <summary>RFC 4180 with LF or CRLF: a value without quotes and without text is null, <c>""</c> is the empty text.</summary>
internal sealed class CsvFormat(byte delimiter) : RecordFormat
{
    private const byte Quote = (byte)'"';

    private readonly Dictionary<string, int> columns = new(StringComparer.Ordinal);
    private readonly List<Field> fields = [];
    private ReadOnlyMemory<byte> header;
    private JsonEncodedText[] names = [];
    private ReadOnlyMemory<byte> record;
    private byte[] unescaped = new byte[256];
    private Place place;

    public override bool IsOpen => place == Place.InQuotes;

    public override int FindEnd(ReadOnlySpan<byte> next)
    {
        for (var at = 0; at < next.Length;)
        {
            switch (place)
            {
                case Place.FieldStart:
                    place = next[at] == Quote ? Place.InQuotes : Place.InField;
                    at += place == Place.InQuotes ? 1 : 0;
                    break;
                case Place.InField:
                    var end = next[at..].IndexOfAny(delimiter, (byte)'\n');
                    if (end < 0)
                        return -1;
                    at += end;
                    place = Place.FieldStart;
                    if (next[at] == (byte)'\n')
                        return at;
                    at++;
                    break;
                case Place.InQuotes:
                    var quote = next[at..].IndexOf(Quote);
                    if (quote < 0)
                        return -1;
                    at += quote + 1;
                    place = Place.BehindQuote;
                    break;
                default:
                    place = next[at] == Quote ? Place.InQuotes : Place.InField;
                    at += place == Place.InQuotes ? 1 : 0;
                    break;
            }
        }
        return -1;
    }

    public override bool IsBlank(ReadOnlySpan<byte> record) => record.IsEmpty && names.Length != 1;

    /// <exception cref="ImportException">The header is invalid.</exception>
    public void TakeHeader(ReadOnlyMemory<byte> header)
    {
        this.header = header;
        if (Split(header) is not null)
            throw new ImportException(ImportCodes.BadHeader, "The header's quotes are not those of RFC 4180.");
        names = new JsonEncodedText[fields.Count];
        for (var i = 0; i < fields.Count; i++)
        {
            var name = Encoding.UTF8.GetString(Get(i).Utf8);
            if (name.Length == 0 || name.Any(char.IsControl))
                throw new ImportException(ImportCodes.BadHeader, $"Column {i + 1} of the header has no name, or a control character in it.");
            if (!columns.TryAdd(name, i))
                throw new ImportException(ImportCodes.BadHeader, $"Two columns of the header are called '{name}'.");
            names[i] = JsonEncodedText.Encode(name, RecordJson.Encoder);
        }
    }

    public override Fault? Take(ReadOnlyMemory<byte> record) => Split(record)
        ?? (fields.Count == names.Length
            ? null
            : new Fault(ImportCodes.WrongFieldCount, $"The record has {fields.Count} fields, the header {names.Length}."));

    public override int Find(string field) => columns.TryGetValue(field, out var index) ? index : -1;

    public override SourceValue Get(int field)
    {
        var (start, length, quoted, escaped) = fields[field];
        var text = record.Span.Slice(start, length);
        if (!quoted)
            return new(length == 0 ? ValueKind.Null : ValueKind.Text, text);
        return new(ValueKind.Text, escaped ? Unescape(text) : text);
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
        var again = new CsvFormat(delimiter);
        again.TakeHeader(header);
        return again;
    }

    private Fault? Split(ReadOnlyMemory<byte> record)
    {
        this.record = record;
        fields.Clear();
        var bytes = record.Span;
        for (var at = 0; ;)
        {
            if (at < bytes.Length && bytes[at] == Quote)
            {
                var start = ++at;
                var escaped = false;
                while (true)
                {
                    var quote = bytes[at..].IndexOf(Quote);
                    if (quote < 0)
                        return Badly();
                    at += quote + 1;
                    if (at >= bytes.Length || bytes[at] != Quote)
                        break;
                    escaped = true;
                    at++;
                }
                fields.Add(new(start, at - 1 - start, true, escaped));
                if (at < bytes.Length && bytes[at] != delimiter)
                    return Badly();
            }
            else
            {
                var length = bytes[at..].IndexOfAny(delimiter, Quote);
                if (length >= 0 && bytes[at + length] == Quote)
                    return Badly();
                length = length < 0 ? bytes.Length - at : length;
                fields.Add(new(at, length, false, false));
                at += length;
            }
            if (at >= bytes.Length)
                return null;
            at++;
        }
    }

    private static Fault Badly() => new(ImportCodes.BadQuoting, "A quote is where RFC 4180 does not allow one.");

    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> text)
    {
        if (unescaped.Length < text.Length)
            unescaped = new byte[text.Length * 2];
        var length = 0;
        while (text.IndexOf(Quote) is var quote and >= 0)
        {
            text[..(quote + 1)].CopyTo(unescaped.AsSpan(length));
            length += quote + 1;
            text = text[(quote + 2)..];
        }
        text.CopyTo(unescaped.AsSpan(length));
        return unescaped.AsSpan(0, length + text.Length);
    }

    private enum Place
    {
        FieldStart,
        InField,
        InQuotes,
        BehindQuote,
    }

    private readonly record struct Field(int Start, int Length, bool Quoted, bool Escaped);
}
