namespace ClaimCheck.Service.Datasets;

/// <summary>Times in RFC 3339's form, in the years 1 to 9999, rounded to Postgres' microseconds.</summary>
internal static partial class CanonicalTime
{
    private const string DateAndTime = "yyyy-MM-dd'T'HH:mm:ss.FFFFFF";

    public static string Utc(string text)
    {
        var rule =
            "must be a time with its offset, in the years 1 to 9999, such as 2026-01-31T12:30:00Z or 2026-01-31T13:30:00.5+01:00";
        var match = Form().Match(text);
        if (!match.Success || !match.Groups["offset"].Success || !match.Groups["date"].Success)
            throw new FormatException(rule);
        var ticks = Ticks(match, rule) - OffsetTicks(match, rule);
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks
            ? new DateTime(ticks).ToString(DateAndTime, CultureInfo.InvariantCulture) + "Z"
            : throw new FormatException(rule);
    }

    public static string Local(string text)
    {
        var rule = "must be a time without an offset, in the years 1 to 9999, such as 2026-01-31T12:30:00";
        var match = Form().Match(text);
        if (!match.Success || match.Groups["offset"].Success || !match.Groups["date"].Success)
            throw new FormatException(rule);
        return new DateTime(Ticks(match, rule)).ToString(DateAndTime, CultureInfo.InvariantCulture);
    }

    public static string OfDay(string text)
    {
        var rule = "must be a time of day, such as 12:30:00";
        var match = Form().Match(text);
        if (!match.Success || match.Groups["offset"].Success || match.Groups["date"].Success)
            throw new FormatException(rule);
        var ticks = Ticks(match, rule);
        return ticks < TimeSpan.TicksPerDay
            ? new TimeOnly(ticks).ToString("HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture)
            : throw new FormatException(rule);
    }

    private static long Ticks(Match match, string rule)
    {
        var day = DateTime.MinValue;
        var hasDate = match.Groups["date"].Success;
        if ((hasDate && !DateTime.TryParseExact(
                match.Groups["date"].ValueSpan, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day))
            || !TimeSpan.TryParseExact(match.Groups["time"].ValueSpan, @"hh\:mm\:ss", CultureInfo.InvariantCulture, out var time))
            throw new FormatException(rule);

        // The digits of .NET's ticks and of other clocks' nanoseconds are rounded as in Postgres: to the nearest microsecond.
        var fraction = match.Groups["fraction"] is { Success: true, Value: var digits }
            ? (long)Math.Round(decimal.Parse("0." + digits, CultureInfo.InvariantCulture) * 1_000_000m, MidpointRounding.ToEven)
            : 0;
        var ticks = day.Ticks + time.Ticks + (fraction * TimeSpan.TicksPerMicrosecond);
        return ticks <= DateTime.MaxValue.Ticks ? ticks : throw new FormatException(rule);
    }

    private static long OffsetTicks(Match match, string rule)
    {
        var offset = match.Groups["offset"].ValueSpan;
        if (offset is "Z" or "z")
            return 0;
        if (!TimeSpan.TryParseExact(offset[1..], @"hh\:mm", CultureInfo.InvariantCulture, out var distance))
            throw new FormatException(rule);
        return offset[0] == '-' ? -distance.Ticks : distance.Ticks;
    }

    [GeneratedRegex(
        @"\A((?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ])?"
        + @"(?<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?<fraction>[0-9]{1,9}))?(?<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
