using System.Buffers.Text;

namespace ClaimCheck.Service.Blocks;

/// <summary>Writes values, given as the database's text, as JSON of their kind. Text that does not have the form of its kind is
/// refused: guessing could produce a different value.</summary>
internal sealed class JsonValueWriter(BlockBuilder output, CancellationToken cancellationToken)
{
    private static readonly SearchValues<byte> Escaped =
        SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, ' ').Select(value => (byte)value)]);

    private static readonly SearchValues<byte> LineBreaks = SearchValues.Create("\r\n\t"u8);

    private readonly CopyText copyText = new();
    private readonly EncodeSteps steps = new(cancellationToken);
    private ArrayWriter? arrays;

    /// <summary>Writes a value that is not NULL as COPY's text format has it, with backslash escapes.</summary>
    /// <exception cref="FormatException">The text does not have the form of that kind. The caller removes what was written of
    /// it.</exception>
    public void WriteCopied(ReadOnlySpan<byte> value, JsonKind kind, ResultType type)
    {
        if (kind == JsonKind.Text)
            WriteString(value, isCopied: true);
        else
            Write(copyText.Unescape(value), kind, type);
    }

    /// <summary>Writes a value's plain text.</summary>
    /// <exception cref="FormatException">The text does not have the form of that kind. The caller removes what was written of
    /// it.</exception>
    public void Write(ReadOnlySpan<byte> value, JsonKind kind, ResultType type)
    {
        switch (kind)
        {
            case JsonKind.Number when ValueForms.IsNumber(value):
                output.Append(value);
                break;
            case JsonKind.Boolean when value is [(byte)'t' or (byte)'f']:
                output.Append(value[0] == (byte)'t' ? "true"u8 : "false"u8);
                break;
            case JsonKind.Json:
                WriteJson(value);
                break;
            case JsonKind.Bytes:
                WriteBase64(value);
                break;
            case JsonKind.Timestamp when ValueForms.IsTimestamp(value, default, out var isCommon):
                WriteTime(value, isCommon, zone: default);
                break;
            case JsonKind.TimestampWithZone when ValueForms.IsTimestamp(value, "+00"u8, out var isCommon):
                WriteTime(isCommon ? value[..^3] : value, isCommon, "Z"u8);
                break;
            case JsonKind.Array:
                (arrays ??= new ArrayWriter(output, this, steps)).Write(value, type);
                break;
            case JsonKind.Text:
            case JsonKind.Number when ValueForms.IsNoFiniteNumber(value):
            case JsonKind.Date when ValueForms.IsDate(value):
            case JsonKind.Interval when ValueForms.IsInterval(value):
            case JsonKind.Date or JsonKind.Interval or JsonKind.Timestamp or JsonKind.TimestampWithZone
                when Times.IsInfinite(value):
                WriteString(value, isCopied: false);
                break;
            default:
                throw new FormatException($"is not of the form that {Promised(kind)} has");
        }
    }

    private static string Promised(JsonKind kind) => kind switch
    {
        JsonKind.Number => "a number",
        JsonKind.Boolean => "a boolean",
        JsonKind.Date => "an ISO date",
        JsonKind.Interval => "an ISO 8601 interval",
        JsonKind.Timestamp => "an ISO timestamp",
        _ => "an ISO timestamp in UTC",
    };

    private void WriteString(ReadOnlySpan<byte> value, bool isCopied)
    {
        output.Append((byte)'"');
        while (value.IndexOfAny(Escaped) is var at and >= 0)
        {
            steps.Take();
            output.Append(value[..at]);
            var special = value[at];
            value = value[(at + 1)..];
            if (special == (byte)'\\' && isCopied)
            {
                special = CopyText.Meant(value);
                value = value[1..];
            }

            WriteEscape(Letter(special), special);
        }

        output.Append(value);
        output.Append((byte)'"');
    }

    // The character of a backslash escape; 0 where there is none.
    private static byte Letter(byte value) => value switch
    {
        (byte)'\b' => (byte)'b',
        (byte)'\f' => (byte)'f',
        (byte)'\n' => (byte)'n',
        (byte)'\r' => (byte)'r',
        (byte)'\t' => (byte)'t',
        (byte)'"' or (byte)'\\' => value,
        _ => 0,
    };

    private void WriteEscape(byte letter, byte value)
    {
        var space = output.Reserve(6);
        space[0] = (byte)'\\';
        if (letter != 0)
        {
            space[1] = letter;
            output.Advance(2);
            return;
        }

        "u00"u8.CopyTo(space[1..]);
        space[4] = "0123456789abcdef"u8[value >> 4];
        space[5] = "0123456789abcdef"u8[value & 0xF];
        output.Advance(6);
    }

    private void WriteJson(ReadOnlySpan<byte> value)
    {
        CheckJson(value);
        // Raw line breaks and tabs can stand between tokens only: within strings JSON escapes them.
        while (value.IndexOfAny(LineBreaks) is var at and >= 0)
        {
            steps.Take();
            output.Append(value[..at]);
            output.Append((byte)' ');
            value = value[(at + 1)..];
        }

        output.Append(value);
    }

    private void CheckJson(ReadOnlySpan<byte> value)
    {
        var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = JsonDepth.OfValues });
        try
        {
            while (reader.Read())
                steps.Take();
        }
        catch (JsonException)
        {
            // Its message may quote the value: it is dropped.
#pragma warning disable MA0054
            throw JsonDepth.IsExceeded(value, JsonDepth.OfValues)
                ? new JsonTooDeepException(JsonDepth.OfValues)
                : new FormatException("is not JSON");
#pragma warning restore MA0054
        }
    }

    private void WriteBase64(ReadOnlySpan<byte> value)
    {
        const int portion = 3 << 10;
        if (value is not [(byte)'\\', (byte)'x', .. var hex])
            throw NotHex();
        Span<byte> raw = stackalloc byte[portion];
        output.Append((byte)'"');
        while (!hex.IsEmpty)
        {
            steps.TakeLong();
            var digits = hex[..Math.Min(hex.Length, 2 * portion)];
            if (Convert.FromHexString(digits, raw, out var used, out var count) != OperationStatus.Done || used != digits.Length)
                throw NotHex();
            var space = output.Reserve(Base64.GetMaxEncodedToUtf8Length(count));
            if (Base64.EncodeToUtf8(raw[..count], space, out _, out var written) != OperationStatus.Done)
                throw new InvalidOperationException("There is space for the whole portion.");
            output.Advance(written);
            hex = hex[digits.Length..];
        }

        output.Append((byte)'"');
    }

    private static FormatException NotHex() => new("is not bytea in its hex form");

    // Years that RFC 3339 can't express are left as the database writes them.
    private void WriteTime(ReadOnlySpan<byte> value, bool isCommon, ReadOnlySpan<byte> zone)
    {
        output.Append((byte)'"');
        if (isCommon)
        {
            output.Append(value[..10]);
            output.Append((byte)'T');
            output.Append(value[11..]);
            output.Append(zone);
        }
        else
        {
            output.Append(value);
        }

        output.Append((byte)'"');
    }
}
