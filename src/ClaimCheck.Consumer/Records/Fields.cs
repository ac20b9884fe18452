using System.Buffers;
using System.Buffers.Text;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace ClaimCheck.Consumer.Records;

/// <summary>
/// Turns a field's bytes into a value, without a string between. Each method is called for fields that are not NULL, by the
/// delegates that <see cref="RecordMap{T}"/> compiles, and throws <see cref="FormatException"/> where the bytes are no such value.
/// </summary>
internal static class Fields
{
    private static readonly SearchValues<char> NoNames = SearchValues.Create("-+, \t\r\n");

    // Bytes that are no UTF-8 would become other characters.
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <exception cref="DecoderFallbackException">It is not UTF-8.</exception>
    public static string String(Rows rows, int column) => Strict.GetString(rows.Text(column));

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

    public static T Integer<T>(Rows rows, int column)
        where T : IBinaryInteger<T> =>
        ExactNumbers.Integer<T>(rows.Text(column));

    public static T Floating<T>(Rows rows, int column)
        where T : IBinaryFloatingPointIeee754<T> =>
        ExactNumbers.Floating<T>(rows.Text(column));

    public static decimal Decimal(Rows rows, int column) => ExactNumbers.Decimal(rows.Text(column));

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
        var value = JsonElement.ParseValue(ref reader);
        return reader.Read() ? throw new FormatException() : value; // throws by itself where anything but a value follows
    }

    public static T Enumeration<T>(Rows rows, int column)
        where T : struct, Enum
    {
        var text = rows.Text(column);
        Span<char> buffer = stackalloc char[128];
        if (text.Length > buffer.Length || !Strict.TryGetChars(text, buffer, out var length))
            throw new FormatException();
        ReadOnlySpan<char> name = buffer[..length];
        // Names alone: not numbers, blanks around one, or several with commas, which .NET takes too.
        return length > 0
            && !char.IsAsciiDigit(name[0]) && !name.ContainsAny(NoNames) && name.Trim().Length == length
            && (Enum.TryParse<T>(name, ignoreCase: false, out var value) || Enum.TryParse(name, ignoreCase: true, out value))
                ? value
                : throw new FormatException();
    }
}
