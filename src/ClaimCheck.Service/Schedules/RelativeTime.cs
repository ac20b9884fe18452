namespace ClaimCheck.Service.Schedules;

/// <summary>A distance from the fire time, <c>-P1D</c>, and what it is rounded down to, <c>startOfDay</c>. Days, weeks, months
/// and years are those of the calendar in the schedule's time zone, hours and less are exact. The distance is added first, then
/// the result is rounded.</summary>
internal sealed partial record RelativeTime(int Months, int Days, TimeSpan Exact, string Anchor)
{
    public static readonly IReadOnlyList<string> Anchors = ["none", "startOfHour", "startOfDay", "startOfWeek", "startOfMonth"];

    private const int MostYears = 100;

    /// <returns>Null where the duration is invalid, or longer than a hundred years.</returns>
    public static RelativeTime? Parse(string duration, string anchor)
    {
        if (duration.Length > 64 || Form().Match(duration) is not { Success: true } match || duration[^1] is 'P' or 'T')
            return null;
        var (months, days, seconds) =
            (12 * Part("y") + Part("mo"), 7 * Part("w") + Part("d"), 3600 * Part("h") + 60 * Part("m") + Part("s"));
        if (months > 12 * MostYears || days > 366 * MostYears || seconds > 366L * 86_400 * MostYears)
            return null;
        var sign = match.Groups["sign"].Value == "-" ? -1 : 1;
        return new(sign * (int)months, sign * (int)days, sign * TimeSpan.FromSeconds(seconds), anchor);

        long Part(string name) =>
            match.Groups[name] is { Success: true, Value: var digits } ? long.Parse(digits, CultureInfo.InvariantCulture) : 0;
    }

    public DateTimeOffset From(DateTimeOffset fireTime, TimeZoneInfo zone)
    {
        var moved = Months == 0 && Days == 0 ? fireTime : InZone(Local(fireTime, zone).AddMonths(Months).AddDays(Days), zone);
        moved += Exact;
        var local = Local(moved, zone);
        return Anchor switch
        {
            // In exact time: the hour that occurs twice begins twice.
            "startOfHour" => moved.AddTicks(-(local.Ticks % TimeSpan.TicksPerHour)),
            "startOfDay" => InZone(local.Date, zone),
            // ISO 8601 weeks, which begin on Monday.
            "startOfWeek" => InZone(local.Date.AddDays(-(((int)local.DayOfWeek + 6) % 7)), zone),
            "startOfMonth" => InZone(new DateTime(local.Year, local.Month, 1), zone),
            _ => moved,
        };
    }

    private static DateTime Local(DateTimeOffset time, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(time, zone).DateTime;

    private static DateTimeOffset InZone(DateTime local, TimeZoneInfo zone)
    {
        // Of a time that occurs twice, the earlier one. A time in a gap moves as far behind the gap as it is inside it.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max()
            : zone.IsInvalidTime(local) ? zone.GetUtcOffset(local.AddDays(-1))
            : zone.GetUtcOffset(local);
        return new DateTimeOffset(DateTime.SpecifyKind(local - offset, DateTimeKind.Utc));
    }

    [GeneratedRegex(
        @"\A(?<sign>[+-])?P((?<y>\d{1,6})Y)?((?<mo>\d{1,6})M)?((?<w>\d{1,6})W)?((?<d>\d{1,6})D)?"
        + @"(T((?<h>\d{1,9})H)?((?<m>\d{1,9})M)?((?<s>\d{1,9})S)?)?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
