namespace ClaimCheck.Consumer.Records;

/// <summary>
/// Reads times as both formats write them: <c>2026-01-01 12:30:00.5+02</c> (csv) and <c>2026-01-01T12:30:00.5Z</c> (ndjson).
/// Infinity, BC and years beyond 9999 have no .NET value: read them as text.
/// </summary>
internal static class Timestamps
{
    /// <param name="text">The field.</param>
    /// <param name="time">The time as it is written.</param>
    /// <param name="offset">Its distance from UTC, or null where none is written.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, out DateTime time, out TimeSpan? offset)
    {
        (time, offset) = (default, null);
        if (text.Length < 19 || !(text[10] is (byte)' ' or (byte)'T'))
            return false;
        if (!TryReadDate(text[..10], out var date) || !TryReadTime(text[11..], out var ticks, out var zone))
            return false;
        if (ticks >= TimeSpan.TicksPerDay)
            return false;
        time = date.AddTicks(ticks);
        return zone.IsEmpty || TryReadZone(zone, out offset);
    }

    public static bool TryReadDate(ReadOnlySpan<byte> text, out DateTime date)
    {
        date = default;
        if (text.Length != 10 || text[4] != '-' || text[7] != '-')
            return false;
        var year = (TwoDigits(text, 0) * 100) + TwoDigits(text, 2);
        var month = TwoDigits(text, 5);
        var day = TwoDigits(text, 8);
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        date = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Unspecified);
        return true;
    }

    /// <param name="text">From the hours on.</param>
    /// <param name="ticks">Since midnight.</param>
    /// <param name="rest">What follows: a zone, or nothing.</param>
    public static bool TryReadTime(ReadOnlySpan<byte> text, out long ticks, out ReadOnlySpan<byte> rest)
    {
        ticks = 0;
        rest = default;
        if (text.Length < 8 || text[2] != ':' || text[5] != ':')
            return false;
        var hours = TwoDigits(text, 0);
        var minutes = TwoDigits(text, 3);
        var seconds = TwoDigits(text, 6);
        if (hours is < 0 or > 24 || minutes is < 0 or > 59 || seconds is < 0 or > 59)
            return false;
        ticks = (((hours * 60L) + minutes) * 60 + seconds) * TimeSpan.TicksPerSecond;
        rest = text[8..];
        if (rest.Length == 0 || rest[0] != '.')
            return true;
        var digits = 1;
        for (var unit = TimeSpan.TicksPerSecond / 10; digits < rest.Length && char.IsAsciiDigit((char)rest[digits]); digits++, unit /= 10)
        {
            // A tick is a ten-millionth: what is smaller would be lost.
            if (unit == 0 && rest[digits] != '0')
                return false;
            ticks += (rest[digits] - '0') * unit;
        }

        rest = rest[digits..];
        return digits > 1;
    }

    private static bool TryReadZone(ReadOnlySpan<byte> text, out TimeSpan? offset)
    {
        offset = TimeSpan.Zero;
        if (text.Length == 1)
            return text[0] == 'Z';
        if (text.Length is not (3 or 6) || !(text[0] is (byte)'+' or (byte)'-') || (text.Length == 6 && text[3] != ':'))
            return false;
        var hours = TwoDigits(text, 1);
        var minutes = text.Length == 6 ? TwoDigits(text, 4) : 0;
        if (hours is < 0 or > 14 || minutes is < 0 or > 59 || (hours == 14 && minutes > 0))
            return false;
        var size = new TimeSpan(hours, minutes, 0);
        offset = text[0] == '-' ? -size : size;
        return true;
    }

    // Below zero where one of them is no digit.
    private static int TwoDigits(ReadOnlySpan<byte> text, int at)
    {
        var tens = (uint)(text[at] - '0');
        var ones = (uint)(text[at + 1] - '0');
        return tens <= 9 && ones <= 9 ? (int)((tens * 10) + ones) : -10_000;
    }
}
