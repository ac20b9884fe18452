using System.Buffers.Text;
using System.Numerics;

namespace ClaimCheck.Consumer.Mapping;

/// <summary>
/// Converts a field's bytes to a value, without an intermediate string. Each method is called for fields that are not NULL, by
/// the delegates that <see cref="RecordMap{T}"/> compiles, and throws <see cref="FormatException"/> where the bytes are not such
/// a value.
/// </summary>
internal static class Fields
{
    // In UTF-8; names in Postgres have 63 bytes at most.
    private const int LongestLabel = 256;

    private static readonly TimeSpan LongestOffset = System.TimeSpan.FromHours(14);

    // Bytes that are not UTF-8 would become other characters.
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <exception cref="DecoderFallbackException">It is not UTF-8.</exception>
    public static string String(Rows rows, int column) => Strict.GetString(rows.Text(column));

    public static long Int64(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out long value, out var used) && used == text.Length
            ? value
            : throw new FormatException();
    }

    public static int Int32(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out int value, out var used) && used == text.Length
            ? value
            : throw new FormatException();
    }

    public static short Int16(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Utf8Parser.TryParse(text, out short value, out var used) && used == text.Length
            ? value
            : throw new FormatException();
    }

    public static T Integer<T>(Rows rows, int column)
        where T : IBinaryInteger<T> =>
        Numbers.Integer<T>(rows.Text(column));

    public static T Floating<T>(Rows rows, int column)
        where T : IBinaryFloatingPointIeee754<T> =>
        Numbers.Floating<T>(rows.Text(column));

    public static decimal Decimal(Rows rows, int column) => Numbers.Decimal(rows.Text(column));

    public static bool Boolean(Rows rows, int column) =>
        Scalars.TryBoolean(rows.Text(column), out var value) ? value : throw new FormatException();

    public static Guid Uuid(Rows rows, int column) =>
        Scalars.TryUuid(rows.Text(column), out var value) ? value : throw new FormatException();

    /// <summary>With the offset in the text, where .NET's type supports it, else in UTC.</summary>
    public static DateTimeOffset DateTimeOffset(Rows rows, int column)
    {
        if (!Times.TryRead(rows.Text(column), out var time, out var offset))
            throw new FormatException();
        var zone = offset ?? System.TimeSpan.Zero;
        return zone.Duration() <= LongestOffset && zone.Seconds == 0
            ? new DateTimeOffset(time, zone)
            : new DateTimeOffset(time - zone, System.TimeSpan.Zero);
    }

    /// <summary>UTC where the value has a zone, else unspecified.</summary>
    public static DateTime DateTime(Rows rows, int column) =>
        Times.TryRead(rows.Text(column), out var time, out var offset)
            ? offset is { } zone ? System.DateTime.SpecifyKind(time - zone, DateTimeKind.Utc) : time
            : throw new FormatException();

    public static DateOnly DateOnly(Rows rows, int column) =>
        Times.TryReadDate(rows.Text(column), out var date) ? date : throw new FormatException();

    public static TimeOnly TimeOnly(Rows rows, int column) =>
        Times.TryReadTime(rows.Text(column), out var time) && time < System.TimeSpan.FromDays(1)
            ? System.TimeOnly.FromTimeSpan(time)
            : throw new FormatException();

    /// <summary>An interval without months, a day being 24 hours; or a time of day, 24:00 too.</summary>
    public static TimeSpan TimeSpan(Rows rows, int column)
    {
        var text = rows.Text(column);
        return Times.TryReadTime(text, out var time) || Intervals.TryRead(text, out time) ? time : throw new FormatException();
    }

    public static byte[] Binary(Rows rows, int column) =>
        Scalars.TryBytes(rows.Text(column), out var bytes) ? bytes : throw new FormatException();

    public static JsonElement Json(Rows rows, int column)
    {
        var reader = new Utf8JsonReader(rows.Json(column), JsonDepth.Reader);
        var value = JsonElement.ParseValue(ref reader);
        return reader.Read() ? throw new FormatException() : value; // throws by itself where anything but a value follows
    }

    /// <summary>By its members' names only, not their numbers.</summary>
    public static T Enumeration<T>(Rows rows, int column)
        where T : struct, Enum
    {
        var text = rows.Text(column);
        Span<char> buffer = stackalloc char[LongestLabel];
        return text.Length <= buffer.Length && Strict.TryGetChars(text, buffer, out var length)
            ? EnumMembers<T>.Of(buffer[..length])
            : throw new FormatException();
    }
}
