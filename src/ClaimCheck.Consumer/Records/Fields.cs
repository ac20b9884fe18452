using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ClaimCheck.Consumer.Records;

/// <summary>
/// Turns a field's bytes into a value, without a string between. Each method is called for fields that are not NULL, by the
/// delegates that <see cref="RecordMap{T}"/> compiles, and throws <see cref="FormatException"/> where the bytes are no such value.
/// </summary>
internal static class Fields
{
    public static string String(Rows rows, int column) => Encoding.UTF8.GetString(rows.Text(column));

    public static long Int64(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out long value, out var used) && used == text.Length ? value : throw new FormatException();
    }

    public static int Int32(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out int value, out var used) && used == text.Length ? value : throw new FormatException();
    }

    public static short Int16(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out short value, out var used) && used == text.Length ? value : throw new FormatException();
    }

    public static Guid Uuid(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out Guid value, out var used) && used == text.Length ? value : throw new FormatException();
    }

    /// <summary>Numbers whose text is .NET's own in the invariant culture, with exponents, NaN and infinities where the type has them.</summary>
    public static T Number<T>(Rows rows, int column)
        where T : IUtf8SpanParsable<T> =>
        T.Parse(rows.Text(column), CultureInfo.InvariantCulture);

    public static decimal Decimal(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out decimal value, out var used) && used == text.Length
            ? value
            : decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    public static bool Boolean(Rows rows, int column)
    {
        var text = rows.Text(column);
        if (text.SequenceEqual("t"u8) || text.SequenceEqual("true"u8))
            return true;
        return text.SequenceEqual("f"u8) || text.SequenceEqual("false"u8) ? false : throw new FormatException();
    }

    public static DateTimeOffset DateTimeOffset(Rows rows, int column) =>
        Timestamps.TryRead(rows.Text(column), out var time, out var offset)
            ? new DateTimeOffset(time, offset ?? TimeSpan.Zero)
            : throw new FormatException();

    /// <summary>UTC where the value has a zone, else of no kind.</summary>
    public static DateTime DateTime(Rows rows, int column) =>
        Timestamps.TryRead(rows.Text(column), out var time, out var offset)
            ? offset is { } zone ? System.DateTime.SpecifyKind(time - zone, DateTimeKind.Utc) : time
            : throw new FormatException();

    public static DateOnly DateOnly(Rows rows, int column) =>
        Timestamps.TryReadDate(rows.Text(column), out var date) ? System.DateOnly.FromDateTime(date) : throw new FormatException();

    public static TimeOnly TimeOnly(Rows rows, int column) =>
        Timestamps.TryReadTime(rows.Text(column), out var ticks, out var rest) && rest.IsEmpty && ticks < TimeSpan.TicksPerDay
            ? new TimeOnly(ticks)
            : throw new FormatException();

    public static byte[] Binary(Rows rows, int column) => rows.Binary(column);

    public static JsonElement Json(Rows rows, int column)
    {
        var reader = new Utf8JsonReader(rows.Json(column), new JsonReaderOptions { MaxDepth = 10_000 });
        return JsonElement.ParseValue(ref reader);
    }

    public static T Enumeration<T>(Rows rows, int column)
        where T : struct, Enum
    {
        var text = rows.Text(column);
        Span<char> name = stackalloc char[128];
        return text.Length <= name.Length
            && Encoding.UTF8.TryGetChars(text, name, out var length)
            && length > 0
            && !char.IsAsciiDigit(name[0]) && name[0] is not ('-' or '+')
            && Enum.TryParse<T>(name[..length], ignoreCase: true, out var value)
                ? value
                : throw new FormatException();
    }
}
