namespace ClaimCheck.Records;

/// <summary>
/// Converts times to .NET's types. What has no .NET value is refused: infinity, BC and years beyond 9999. A fraction is rounded
/// to whole ticks, as Postgres rounds it to microseconds.
/// </summary>
internal static class Times
{
    private const long NanosPerTick = 100;

    /// <param name="text">The field.</param>
    /// <param name="time">The time as it is written.</param>
    /// <param name="offset">Its distance from UTC, or null where none is written.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, out DateTime time, out TimeSpan? offset)
    {
        if (TryReadCommon(text, out time, out offset))
            return true;
        if (!Moment.TryParse(text, out var moment) || moment is not { Month: > 0, Year: >= 1 and <= 9999, Nanos: { } nanos })
            return false;
        var date = new DateTime(moment.Year, moment.Month, moment.Day, 0, 0, 0, DateTimeKind.Unspecified);
        var ticks = Ticks(nanos);
        if (ticks > DateTime.MaxValue.Ticks - date.Ticks)
            return false;
        (time, offset) = (date.AddTicks(ticks), moment.Offset is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        return true;
    }

    public static bool TryReadDate(ReadOnlySpan<byte> text, out DateOnly date)
    {
        date = default;
        if (TryReadCommonDate(text, out var common))
            date = DateOnly.FromDateTime(common);
        else if (Moment.TryParse(text, out var moment) && moment is { Month: > 0, Year: >= 1 and <= 9999, Nanos: null })
            date = new DateOnly(moment.Year, moment.Month, moment.Day);
        else
            return false;
        return true;
    }

    /// <summary>A time of day without a zone; 24:00 is valid.</summary>
    public static bool TryReadTime(ReadOnlySpan<byte> text, out TimeSpan time)
    {
        time = default;
        if (!Moment.TryParse(text, out var moment) || moment is not { Month: 0, Nanos: { } nanos, Offset: null })
            return false;
        time = TimeSpan.FromTicks(Ticks(nanos));
        return true;
    }

    public static bool IsInfinite(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("infinity"u8) || text.SequenceEqual("-infinity"u8);

    private static long Ticks(long nanos)
    {
        var (ticks, rest) = Math.DivRem(nanos, NanosPerTick);
        return rest > NanosPerTick / 2 || (rest == NanosPerTick / 2 && ticks % 2 != 0) ? ticks + 1 : ticks;
    }

    // Nearly all values: 2026-01-01 12:30:00.5+02, 2026-01-01T12:30:00.123456Z.
    private static bool TryReadCommon(ReadOnlySpan<byte> text, out DateTime time, out TimeSpan? offset)
    {
        (time, offset) = (default, null);
        if (text.Length < 19 || !(text[10] is (byte)' ' or (byte)'T') || text[13] != ':' || text[16] != ':'
            || !TryReadCommonDate(text[..10], out var date))
            return false;
        var hours = TwoDigits(text, 11);
        var minutes = TwoDigits(text, 14);
        var seconds = TwoDigits(text, 17);
        if (hours is < 0 or > 23 || minutes is < 0 or > 59 || seconds is < 0 or > 59)
            return false;
        var ticks = (((hours * 60L) + minutes) * 60 + seconds) * TimeSpan.TicksPerSecond;
        text = text[19..];
        if (text is [(byte)'.', ..])
        {
            var digits = 1;
            for (var unit = TimeSpan.TicksPerSecond / 10; unit > 0 && digits < text.Length
                && char.IsAsciiDigit((char)text[digits]); digits++, unit /= 10)
                ticks += (text[digits] - '0') * unit;
            if (digits == 1)
                return false;
            text = text[digits..];
        }

        time = date.AddTicks(ticks);
        if (text is [(byte)'Z'] or [(byte)'+', (byte)'0', (byte)'0'])
            offset = TimeSpan.Zero;
        return text.IsEmpty || offset is not null;
    }

    private static bool TryReadCommonDate(ReadOnlySpan<byte> text, out DateTime date)
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

    // Negative where one of them is not a digit.
    private static int TwoDigits(ReadOnlySpan<byte> text, int at)
    {
        var tens = (uint)(text[at] - '0');
        var ones = (uint)(text[at + 1] - '0');
        return tens <= 9 && ones <= 9 ? (int)((tens * 10) + ones) : -10_000;
    }
}
