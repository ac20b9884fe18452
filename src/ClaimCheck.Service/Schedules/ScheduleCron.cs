using System.Diagnostics.CodeAnalysis;
using Quartz;

namespace ClaimCheck.Service.Schedules;

/// <summary>The fire times of a schedule. A time in the gap of the change to summer time fires at the end of the gap; one that
/// occurs twice fires the first time, unless the expression repeats within the hour.</summary>
internal sealed partial class ScheduleCron
{
    private const int Longest = 200;

    private readonly CronExpression expression;

    private ScheduleCron(CronExpression expression) => this.expression = expression;

    /// <summary>An IANA time zone of this machine.</summary>
    public static bool TryFindZone(string name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        return ZoneName().IsMatch(name) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone);
    }

    /// <returns>Null where it is not a cron expression; the refusal is a sentence.</returns>
    public static ScheduleCron? Parse(string cron, TimeZoneInfo zone, out string? refusal)
    {
        refusal = "Must be a cron expression in Quartz's form, seconds first, such as 0 0 2 * * ? for every day at two.";
        if (cron.Length is 0 or > Longest || HasTooLarge(cron))
            return null;
        try
        {
            var parsed = new ScheduleCron(new CronExpression(cron, zone));
            refusal = null;
            return parsed;
        }
        catch (Exception e) when (e is FormatException or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    public DateTimeOffset? After(DateTimeOffset time) => expression.GetNextValidTimeAfter(time);

    /// <summary>The first times from a moment on, up to a number.</summary>
    public IReadOnlyList<DateTimeOffset> From(DateTimeOffset? first, DateTimeOffset? endsAt, int count)
    {
        var times = new List<DateTimeOffset>(count);
        for (var time = first; time is { } at && !(at > endsAt) && times.Count < count; time = After(at))
            times.Add(at);
        return times;
    }

    /// <summary>
    /// The last times up to a moment, up to a number, oldest first; none before <paramref name="first"/>, which is a fire time.
    /// </summary>
    public IReadOnlyList<DateTimeOffset> Latest(DateTimeOffset first, DateTimeOffset until, int most)
    {
        // Years may have passed since the first: look back from the end, further each time.
        for (var window = TimeSpan.FromMinutes(1); ; window *= 4)
        {
            var isAll = window >= until - first;
            var times = new List<DateTimeOffset>();
            for (var time = isAll ? first : After(until - window); time is { } at && at <= until; time = After(at))
                times.Add(at);
            if (isAll || times.Count >= most)
                return times.Count > most ? times[^most..] : times;
        }
    }

    // Seconds and minutes beyond 59 are accepted by the library, but never occur.
    private static bool HasTooLarge(string cron) =>
        cron.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2)
            .Any(field => Numbers().Matches(field).Any(number => number.Length > 4 || int.Parse(number.Value) > 59));

    [GeneratedRegex(@"\A[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,3}\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ZoneName();

    [GeneratedRegex("[0-9]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Numbers();
}
