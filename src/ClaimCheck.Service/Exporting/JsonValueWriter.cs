using System.Buffers;
using System.Buffers.Text;

namespace ClaimCheck.Service.Exporting;

/// <summary>Writes values, given as the database's text, as JSON of their kind.</summary>
internal sealed class JsonValueWriter(BlockBuilder output)
{
    private static readonly SearchValues<byte> Escaped =
        SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, ' ').Select(value => (byte)value)]);

    private static readonly SearchValues<byte> LineBreaks = SearchValues.Create("\r\n\t"u8);

    private readonly CopyText copyText = new();
    private ArrayWriter? arrays;

    /// <summary>Writes a value that is not NULL as COPY's text format has it, with backslash escapes.</summary>
    public void WriteCopied(ReadOnlySpan<byte> value, JsonKind kind, ResultType type)
    {
        if (kind == JsonKind.Text)
            WriteString(value, isCopied: true);
        else
            Write(copyText.Unescape(value), kind, type);
    }

    /// <summary>Writes a value's plain text.</summary>
    public void Write(ReadOnlySpan<byte> value, JsonKind kind, ResultType type)
    {
        switch (kind)
        {
            // NaN, Infinity and -Infinity are the only ones that end in a letter.
            case JsonKind.Number when value[^1] <= (byte)'9':
                output.Append(value);
                break;
            case JsonKind.Boolean:
                output.Append(value is [(byte)'t'] ? "true"u8 : "false"u8);
                break;
            case JsonKind.Json:
                WriteJson(value);
                break;
            case JsonKind.Bytes:
                WriteBase64(value);
                break;
            case JsonKind.Timestamp when IsCommonTime(value):
                WriteTime(value, zone: default);
                break;
            case JsonKind.TimestampWithZone when value.EndsWith("+00"u8) && IsCommonTime(value):
                WriteTime(value[..^3], "Z"u8);
                break;
            case JsonKind.Array:
                (arrays ??= new ArrayWriter(output, this)).Write(value, type);
                break;
            default:
                WriteString(value, isCopied: false);
                break;
        }
    }

    private void WriteString(ReadOnlySpan<byte> value, bool isCopied)
    {
        output.Append((byte)'"');
        while (value.IndexOfAny(Escaped) is var at and >= 0)
        {
            output.Append(value[..at]);
            var special = value[at];
            value = value[(at + 1)..];
            // COPY and JSON escape alike (\\ \b \f \n \r \t), but for the vertical tab.
            if (special == (byte)'\\' && isCopied)
            {
                WriteEscape(letter: value[0] == (byte)'v' ? (byte)0 : value[0], (byte)'\v');
                value = value[1..];
            }
            else
            {
                WriteEscape(Letter(special), special);
            }
        }

        output.Append(value);
        output.Append((byte)'"');
    }

    // The letter that stands for a character behind a backslash; 0 where there is none.
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

    // Raw line breaks and tabs can stand between tokens only: within strings JSON escapes them.
    private void WriteJson(ReadOnlySpan<byte> value)
    {
        while (value.IndexOfAny(LineBreaks) is var at and >= 0)
        {
            output.Append(value[..at]);
            output.Append((byte)' ');
            value = value[(at + 1)..];
        }

        output.Append(value);
    }

    private void WriteBase64(ReadOnlySpan<byte> value)
    {
        const int portion = 3 << 10;
        Span<byte> raw = stackalloc byte[portion];
        output.Append((byte)'"');
        for (var hex = value[2..]; hex.Length > 0;) // behind "\x"
        {
            Convert.FromHexString(hex[..Math.Min(hex.Length, 2 * portion)], raw, out var used, out var count);
            Base64.EncodeToUtf8(raw[..count], output.Reserve(Base64.GetMaxEncodedToUtf8Length(count)), out _, out var written);
            output.Advance(written);
            hex = hex[used..];
        }

        output.Append((byte)'"');
    }

    // Four digits of a year, and neither "BC" at the end nor an infinity.
    private static bool IsCommonTime(ReadOnlySpan<byte> value) =>
        value.Length >= 19 && value[4] == (byte)'-' && value[10] == (byte)' ' && value[^1] <= (byte)'9';

    private void WriteTime(ReadOnlySpan<byte> value, ReadOnlySpan<byte> zone)
    {
        output.Append((byte)'"');
        output.Append(value[..10]);
        output.Append((byte)'T');
        output.Append(value[11..]);
        output.Append(zone);
        output.Append((byte)'"');
    }
}
