using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace ClaimCheck.Import.Mapping;

/// <summary>What a field must be, and how it is written as JSON.</summary>
internal sealed class FieldType
{
    private const int LongestNumber = 1000;

    private delegate bool Writer(Utf8JsonWriter json, SourceValue value);

    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789"u8);

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
        // Half a surrogate pair, which JSON can escape, is no text.
        if (value.Kind == ValueKind.Json || !Utf8.IsValid(value.Utf8))
            return false;
        json.WriteStringValue(value.Utf8);
        return true;
    }

    // 64 bits, which is what endpoints can be expected to hold.
    private static bool WriteInteger(Utf8JsonWriter json, SourceValue value)
    {
        if (value.Kind == ValueKind.Json || !Utf8Parser.TryParse(value.Utf8, out long number, out var read) || read != value.Utf8.Length
            || value.Utf8[0] == (byte)'+')
            return false;
        json.WriteNumberValue(number);
        return true;
    }

    /// <summary>With the file's own digits: a decimal or a double might not hold them.</summary>
    private static bool WriteNumeric(Utf8JsonWriter json, SourceValue value)
    {
        var text = value.Utf8;
        if (value.Kind == ValueKind.Json || text.Length is 0 or > LongestNumber)
            return false;
        var negative = text[0] == (byte)'-';
        var rest = negative ? text[1..] : text;
        var whole = Run(rest);
        var at = whole;
        if (whole == 0)
            return false;
        if (at < rest.Length && rest[at] == (byte)'.')
        {
            var fraction = Run(rest[(at + 1)..]);
            if (fraction == 0)
                return false;
            at += 1 + fraction;
        }
        if (at < rest.Length && rest[at] is (byte)'e' or (byte)'E')
        {
            at++;
            if (at < rest.Length && rest[at] is (byte)'+' or (byte)'-')
                at++;
            var exponent = Run(rest[at..]);
            if (exponent == 0)
                return false;
            at += exponent;
        }
        if (at != rest.Length)
            return false;
        // JSON knows no leading zeros.
        while (whole > 1 && rest[0] == (byte)'0')
        {
            rest = rest[1..];
            whole--;
        }
        Span<byte> number = stackalloc byte[LongestNumber];
        number[0] = (byte)'-';
        rest.CopyTo(number[1..]);
        json.WriteRawValue(negative ? number[..(rest.Length + 1)] : rest, skipInputValidation: true);
        return true;
    }

    private static bool WriteBoolean(Utf8JsonWriter json, SourceValue value)
    {
        if (value.Kind == ValueKind.Json || value.Utf8.Length is 0 or > 5)
            return false;
        Span<byte> lower = stackalloc byte[5];
        if (Ascii.ToLower(value.Utf8, lower, out var length) != OperationStatus.Done)
            return false;
        lower = lower[..length];
        var isTrue = lower.SequenceEqual("true"u8) || lower.SequenceEqual("t"u8) || lower.SequenceEqual("1"u8)
            || lower.SequenceEqual("yes"u8) || lower.SequenceEqual("y"u8);
        if (!isTrue && !(lower.SequenceEqual("false"u8) || lower.SequenceEqual("f"u8) || lower.SequenceEqual("0"u8)
            || lower.SequenceEqual("no"u8) || lower.SequenceEqual("n"u8)))
            return false;
        json.WriteBooleanValue(isTrue);
        return true;
    }

    private static bool WriteDate(Utf8JsonWriter json, SourceValue value)
    {
        if (!TryText(value, 10, out var text) || !DateOnly.TryParseExact(text, "yyyy-MM-dd", out _))
            return false;
        json.WriteStringValue(text);
        return true;
    }

    // RFC 3339 with its offset, also with a blank for the T; written in UTC.
    private static bool WriteTimestamp(Utf8JsonWriter json, SourceValue value)
    {
        string[] forms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK"];
        if (!TryText(value, 40, out var text) || text.Length < 20 || !(text[^1] is 'Z' || text.LastIndexOfAny(['+', '-']) > 18)
            || !DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return false;
        json.WriteStringValue(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"));
        return true;
    }

    private static bool WriteUuid(Utf8JsonWriter json, SourceValue value)
    {
        if (!TryText(value, 36, out var text) || !Guid.TryParseExact(text, "D", out var uuid)
            || !uuid.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) // signs and 0x are taken too
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
            return WriteText(json, value);
        try
        {
            var reader = new Utf8JsonReader(value.Utf8);
            using var document = JsonDocument.ParseValue(ref reader);
            if (reader.BytesConsumed != value.Utf8.Length && !value.Utf8[(int)reader.BytesConsumed..].Trim(" \t\r\n"u8).IsEmpty)
                return false;
            document.RootElement.WriteTo(json);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool TryText(SourceValue value, int longest, [NotNullWhen(true)] out string? text)
    {
        text = value.Kind is ValueKind.Text or ValueKind.String && value.Utf8.Length <= longest && Ascii.IsValid(value.Utf8) ? Encoding.ASCII.GetString(value.Utf8) : null;
        return text is not null;
    }

    private static int Run(ReadOnlySpan<byte> text) => text.IndexOfAnyExcept(Digits) is var end and >= 0 ? end : text.Length;
}
