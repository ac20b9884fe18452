using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text.Unicode;

namespace ClaimCheck.Import.Mapping;

/// <summary>The types of a field, and how they are written as JSON.</summary>
internal sealed class FieldType
{
    private const int LongestNumber = 1000;

    private delegate bool Writer(Utf8JsonWriter json, SourceValue value);

    private static readonly Dictionary<string, FieldType> All = new(StringComparer.Ordinal)
    {
        ["text"] = new(WriteText),
        ["integer"] = new(WriteInteger),
        ["numeric"] = new(WriteNumeric),
        ["boolean"] = new(WriteBoolean),
        ["date"] = new(WriteDate),
        ["timestamptz"] = new(WriteTimestamp),
        ["uuid"] = new(WriteUuid),
        ["json"] = new(WriteJson),
    };

    private readonly Writer writer;

    private FieldType(Writer writer) => this.writer = writer;

    public static IEnumerable<string> Names => All.Keys;

    public static bool TryParse(string? name, [NotNullWhen(true)] out FieldType? type) => All.TryGetValue(name ?? "", out type);

    /// <returns>False where the value is not of this type; then nothing was written.</returns>
    public bool TryWrite(Utf8JsonWriter json, SourceValue value) => writer(json, value);

    public bool IsValid(string text)
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        return TryWrite(json, new SourceValue(ValueKind.Text, Encoding.UTF8.GetBytes(text)));
    }

    private static bool WriteText(Utf8JsonWriter json, SourceValue value)
    {
        // Half a surrogate pair, which JSON can escape, is not valid text.
        if (value.Kind == ValueKind.Json || !Utf8.IsValid(value.Utf8))
            return false;
        json.WriteStringValue(value.Utf8);
        return true;
    }

    // 64 bits, which endpoints can be expected to support.
    private static bool WriteInteger(Utf8JsonWriter json, SourceValue value)
    {
        if (value.Kind == ValueKind.Json || !Utf8Parser.TryParse(value.Utf8, out long number, out var read)
            || read != value.Utf8.Length
            || value.Utf8[0] == (byte)'+')
            return false;
        json.WriteNumberValue(number);
        return true;
    }

    /// <summary>With the file's own digits: a decimal or a double might lose some.</summary>
    private static bool WriteNumeric(Utf8JsonWriter json, SourceValue value)
    {
        var text = value.Utf8;
        if (value.Kind == ValueKind.Json || text.Length is 0 or > LongestNumber)
            return false;
        if (Numbers.NotFinite(text) is { } name)
        {
            json.WriteStringValue(name);
            return true;
        }

        var negative = text[0] == (byte)'-';
        var rest = negative ? text[1..] : text;
        // JSON does not allow leading zeros.
        while (rest is [(byte)'0', >= (byte)'0' and <= (byte)'9', ..])
            rest = rest[1..];
        if (rest is [(byte)'-', ..] || !ValueForms.IsNumber(rest))
            return false;
        Span<byte> number = stackalloc byte[1 + LongestNumber];
        number[0] = (byte)'-';
        rest.CopyTo(number[1..]);
        json.WriteRawValue(negative ? number[..(rest.Length + 1)] : rest, skipInputValidation: true);
        return true;
    }

    private static bool WriteBoolean(Utf8JsonWriter json, SourceValue value)
    {
        if (value.Kind == ValueKind.Json || !Scalars.TryBoolean(value.Utf8, out var isTrue))
            return false;
        json.WriteBooleanValue(isTrue);
        return true;
    }

    private static bool WriteDate(Utf8JsonWriter json, SourceValue value) =>
        IsText(value) && WriteMoment(json, value.Utf8, moment => moment is { Month: > 0, Nanos: null });

    // With its offset, however it is written; in UTC, as exports to ndjson write it.
    private static bool WriteTimestamp(Utf8JsonWriter json, SourceValue value) =>
        IsText(value) && WriteMoment(json, value.Utf8, moment => moment is { Month: > 0, Nanos: not null, Offset: not null });

    private static bool WriteMoment(Utf8JsonWriter json, ReadOnlySpan<byte> text, Func<Moment, bool> fits)
    {
        if (Times.IsInfinite(text))
            json.WriteStringValue(text);
        else if (Moment.TryParse(text, out var moment) && fits(moment))
            json.WriteStringValue(moment.ToJson());
        else
            return false;
        return true;
    }

    private static bool WriteUuid(Utf8JsonWriter json, SourceValue value)
    {
        if (!IsText(value) || !Scalars.TryUuid(value.Utf8, out var uuid))
            return false;
        json.WriteStringValue(uuid);
        return true;
    }

    private static bool WriteJson(Utf8JsonWriter json, SourceValue value)
    {
        if (value.Kind is ValueKind.Json or ValueKind.Literal)
        {
            json.WriteRawValue(value.Utf8, skipInputValidation: true);
            return true;
        }
        if (value.Kind == ValueKind.String)
        {
            // Half of a surrogate pair can't be text, but json may contain its escape.
            json.WriteRawValue(value.Json, skipInputValidation: true);
            return true;
        }
        try
        {
            var reader = new Utf8JsonReader(value.Utf8, JsonDepth.Reader);
            while (reader.Read())
            {
                // To its end.
            }
        }
        catch (JsonException)
        {
            return false;
        }

        // Raw line breaks can occur between tokens only: records are lines.
        json.WriteRawValue(value.Utf8.ContainsAny("\r\n"u8) ? OneLine(value.Utf8) : value.Utf8, skipInputValidation: true);
        return true;
    }

    private static byte[] OneLine(ReadOnlySpan<byte> text)
    {
        var line = text.ToArray();
        line.AsSpan().Replace((byte)'\r', (byte)' ');
        line.AsSpan().Replace((byte)'\n', (byte)' ');
        return line;
    }

    private static bool IsText(SourceValue value) => value.Kind is ValueKind.Text or ValueKind.String;
}
