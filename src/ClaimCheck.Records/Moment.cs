using System.Globalization;

namespace ClaimCheck.Records;

/// <summary>
/// A date, a time of day, or both, with or without a zone, as Postgres, RFC 3339 and ISO 8601 write them, and Go, Java and
/// Python: a <c>T</c> or a blank between; <c>+00</c>, <c>+0000</c>, <c>+00:00</c> or <c>Z</c>; <c>BC</c> behind, or a signed year
/// before; no seconds, or nanoseconds; the zone's name once more behind its offset.
/// </summary>
/// <param name="Year">Of the proleptic calendar: 0 is 1 BC.</param>
/// <param name="Month">0 where there is no date.</param>
/// <param name="Day">0 where there is no date.</param>
/// <param name="Nanos">Since midnight, 24 hours at most; null where there is no time.</param>
/// <param name="Offset">From UTC, in seconds; null where none is written.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Moment(int Year, int Month, int Day, long? Nanos, int? Offset)
{
    public const long NanosPerSecond = 1_000_000_000;
    public const long NanosPerDay = 86_400 * NanosPerSecond;

    // The last year of Postgres is 5874897.
    private const int MostYearDigits = 7;


    public static bool TryParse(ReadOnlySpan<byte> text, out Moment moment)
    {
        moment = default;
        if (text.Length > 200)
            return false;
        // Go's String of a time ends like this, where it has read its monotonic clock.
        if (text.IndexOf(" m="u8) is var monotonic and > 0)
            text = text[..monotonic];
        var isBefore = text.EndsWith(" BC"u8);
        if (isBefore || text.EndsWith(" AD"u8))
            text = text[..^3];
        var rest = text;
        var (year, month, day) = (0, 0, 0);
        var hasDate = text.Length < 3 || text[2] != (byte)':';
        if (hasDate && (!TryDate(ref rest, out year, out month, out day) || (isBefore && year < 1)))
            return false;
        if (isBefore)
            year = 1 - year;
        if (hasDate && day > DaysIn(year, month))
            return false;
        if (hasDate && rest.IsEmpty)
        {
            moment = new(year, month, day, null, null);
            return true;
        }

        if (hasDate && !(rest[0] is (byte)'T' or (byte)'t' or (byte)' '))
            return false;
        rest = hasDate ? rest[1..] : rest;
        if (!TryTime(ref rest, out var nanos) || !TryZone(rest, out var offset))
            return false;
        moment = new(year, month, day, nanos, offset);
        return true;
    }

    /// <summary>The same in UTC, with days carried over; without a zone it counts as UTC already.</summary>
    public Moment Utc()
    {
        if (Month == 0 || Nanos is not { } nanos)
            return this;
        nanos -= (Offset ?? 0) * NanosPerSecond;
        var days = (int)Math.Floor((decimal)nanos / NanosPerDay);
        // The calendar repeats itself after 400 years.
        var cycles = (int)Math.Floor(Year / 400m);
        var date = new DateOnly(Year - (cycles * 400) + 2000, Month, Day).AddDays(days);
        return new(
            date.Year - 2000 + (cycles * 400), date.Month, date.Day, nanos - (days * NanosPerDay), Offset is null ? null : 0);
    }

    /// <summary>As Postgres writes and reads it.</summary>
    public string ToPostgres()
    {
        var date = Month == 0
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{(Year > 0 ? Year : 1 - Year):0000}-{Month:00}-{Day:00}");
        var time = Nanos is { } nanos ? Clock(nanos) + Zone() : "";
        return date + (date.Length > 0 && time.Length > 0 ? " " : "") + time + (Month > 0 && Year < 1 ? " BC" : "");
    }

    /// <summary>As RFC 3339 and exports to ndjson write it: in UTC; in Postgres' form where its year is not one
    /// of four digits.</summary>
    public string ToJson()
    {
        var utc = Utc();
        return utc.Year is < 1 or > 9999 || utc.Nanos is not { } nanos
            ? utc.ToPostgres()
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{utc.Year:0000}-{utc.Month:00}-{utc.Day:00}T{Clock(nanos)}{(Offset is null ? "" : "Z")}");
    }

    private static string Clock(long nanos)
    {
        var (seconds, fraction) = (nanos / NanosPerSecond, nanos % NanosPerSecond);
        var whole = string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:00}:{seconds / 60 % 60:00}:{seconds % 60:00}");
        return fraction == 0 ? whole : whole + "." + fraction.ToString("000000000", CultureInfo.InvariantCulture).TrimEnd('0');
    }

    private string Zone()
    {
        if (Offset is not { } offset)
            return "";
        var size = Math.Abs(offset);
        var text = string.Create(CultureInfo.InvariantCulture, $"{(offset < 0 ? '-' : '+')}{size / 3600:00}");
        if (size % 3600 > 0)
            text += string.Create(CultureInfo.InvariantCulture, $":{size / 60 % 60:00}");
        return size % 60 > 0 ? text + string.Create(CultureInfo.InvariantCulture, $":{size % 60:00}") : text;
    }

    private static int DaysIn(int year, int month) => DateTime.DaysInMonth(((year % 400) + 400) % 400 + 2000, month);

    private static bool TryDate(ref ReadOnlySpan<byte> text, out int year, out int month, out int day)
    {
        (year, month, day) = (0, 0, 0);
        var isSigned = text is [(byte)'+' or (byte)'-', ..];
        var isNegative = text is [(byte)'-', ..];
        text = isSigned ? text[1..] : text;
        var digits = Digits(text);
        if (digits is < 4 or > MostYearDigits || text.Length < digits + 6 || text[digits] != (byte)'-'
            || text[digits + 3] != (byte)'-'
            || !TryTwo(text[(digits + 1)..], 12, out month) || !TryTwo(text[(digits + 4)..], 31, out day) || month < 1 || day < 1)
            return false;
        year = int.Parse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
        year = isNegative ? -year : year;
        text = text[(digits + 6)..];
        return true;
    }

    private static bool TryTime(ref ReadOnlySpan<byte> text, out long nanos)
    {
        nanos = 0;
        var seconds = 0;
        if (text.Length < 5 || text[2] != (byte)':' || !TryTwo(text, 24, out var hours)
            || !TryTwo(text[3..], 59, out var minutes))
            return false;
        text = text[5..];
        if (text is [(byte)':', ..])
        {
            if (!TryTwo(text[1..], 59, out seconds))
                return false;
            text = text[3..];
            if (text is [(byte)'.' or (byte)',', ..] && !TryFraction(ref text, out nanos))
                return false;
        }

        nanos += ((((hours * 60L) + minutes) * 60) + seconds) * NanosPerSecond;
        return nanos <= NanosPerDay;
    }

    // Digits finer than a nanosecond are rounded.
    private static bool TryFraction(ref ReadOnlySpan<byte> text, out long nanos)
    {
        nanos = 0;
        text = text[1..];
        var digits = Digits(text);
        for (var place = 0; place < 9; place++)
            nanos = (nanos * 10) + (place < digits ? text[place] - '0' : 0);
        if (digits > 9 && text[9] >= (byte)'5')
            nanos++;
        text = text[digits..];
        return digits > 0;
    }

    private static bool TryZone(ReadOnlySpan<byte> text, out int? offset)
    {
        offset = null;
        text = text.TrimStart((byte)' ');
        if (text.IsEmpty)
            return true;
        if (text[0] is (byte)'Z' or (byte)'z')
        {
            offset = 0;
            return IsName(text[1..]);
        }

        if (text.SequenceEqual("UTC"u8) || text.SequenceEqual("GMT"u8))
        {
            offset = 0;
            return true;
        }

        if (!(text[0] is (byte)'+' or (byte)'-') || !TryTwo(text[1..], 15, out var hours))
            return false;
        var (isNegative, minutes, seconds) = (text[0] == (byte)'-', 0, 0);
        text = text[3..];
        if (!TryNext(ref text, ref minutes) || !TryNext(ref text, ref seconds))
            return false;
        offset = ((hours * 60) + minutes) * 60 + seconds;
        offset = isNegative ? -offset : offset;
        return IsName(text);

        static bool TryNext(ref ReadOnlySpan<byte> text, ref int part)
        {
            var digits = text is [(byte)':', ..] ? text[1..] : text;
            if (Digits(digits) == 0)
                return digits.Length == text.Length;
            if (!TryTwo(digits, 59, out part))
                return false;
            text = digits[2..];
            return true;
        }
    }

    // Java's [Europe/Paris], and Go's abbreviation, which may be an offset once more.
    private static bool IsName(ReadOnlySpan<byte> text) =>
        text.IsEmpty
        || (text is [(byte)'[', .. { Length: > 0 } name, (byte)']'] && !name.ContainsAny("[]"u8))
        || (text is [(byte)' ', .. { Length: > 0 and <= 6 } shorter] && !shorter.Contains((byte)' '));

    private static bool TryTwo(ReadOnlySpan<byte> text, int most, out int value)
    {
        value = 0;
        if (text.Length < 2 || Digits(text[..2]) < 2)
            return false;
        value = ((text[0] - '0') * 10) + text[1] - '0';
        return value <= most;
    }

    private static int Digits(ReadOnlySpan<byte> text)
    {
        var count = 0;
        while (count < text.Length && char.IsAsciiDigit((char)text[count]))
            count++;
        return count;
    }
}
