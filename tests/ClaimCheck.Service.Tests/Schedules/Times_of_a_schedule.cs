using ClaimCheck.Service.Schedules;

namespace ClaimCheck.Service.Tests.Schedules;

[Trait("needs", "nothing")]
public sealed class Times_of_a_schedule
{
    [Fact]
    public void Half_past_two_fires_once_a_day_when_summer_time_begins_at_the_end_of_the_gap() => Assert.Equal(
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        Times("0 30 2 * * ?", "Europe/Berlin", "2026-03-28T00:00:00Z", 3));

    [Fact]
    public void Half_past_two_fires_once_a_day_when_summer_time_ends_the_first_time_it_is() => Assert.Equal(
        ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        Times("0 30 2 * * ?", "Europe/Berlin", "2026-10-24T00:00:00Z", 3));

    [Fact]
    public void Every_hour_is_every_hour_also_when_it_comes_twice() => Assert.Equal(
        ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"],
        Times("0 0 * * * ?", "Europe/Berlin", "2026-10-24T23:30:00Z", 3));

    [Fact]
    public void A_midnight_that_is_not_fires_at_the_day_s_first_moment() => Assert.Equal(
        ["2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
        Times("0 0 0 * * ?", "America/Sao_Paulo", "2018-11-02T12:00:00Z", 3));

    [Theory]
    [InlineData("")]
    [InlineData("daily at two")]
    [InlineData("0 2 * * *")] // the form without seconds
    [InlineData("60 0 2 * * ?")]
    [InlineData("0 99999999999 2 * * ?")]
    [InlineData("0 0 25 * * ?")]
    [InlineData("0/0 * * * * ?")]
    [InlineData("0 0 2 * * ? é")]
    public void What_is_no_cron_expression_is_refused_with_a_reason(string cron)
    {
        Assert.Null(ScheduleCron.Parse(cron, TimeZoneInfo.Utc, out var refusal));
        Assert.NotNull(refusal);
    }

    [Fact]
    public void A_cron_expression_of_any_length_is_refused_quickly() =>
        Assert.Null(ScheduleCron.Parse(new string('1', 100_000), TimeZoneInfo.Utc, out _));

    [Theory]
    [InlineData("Europe/Berlin", true)]
    [InlineData("America/Argentina/Buenos_Aires", true)]
    [InlineData("Etc/GMT+1", true)]
    [InlineData("UTC", true)]
    [InlineData("W. Europe Standard Time", false)]
    [InlineData("Mars/Olympus", false)]
    [InlineData("../../etc/passwd", false)]
    [InlineData("", false)]
    public void Time_zones_are_those_of_IANA(string name, bool isOne) =>
        Assert.Equal(isOne, ScheduleCron.TryFindZone(name, out _));

    [Fact]
    public void The_latest_of_years_of_missed_seconds_are_found_at_once()
    {
        var cron = Cron("* * * * * ?", "UTC");
        var (first, until) = (At("2020-01-01T00:00:00Z"), At("2026-01-01T00:00:00.5Z"));

        var times = cron.Latest(first, until, 1000);

        Assert.Equal(1000, times.Count);
        Assert.Equal(At("2026-01-01T00:00:00Z"), times[^1]);
        Assert.Equal(times.Order(), times);
    }

    [Fact]
    public void The_latest_missed_times_are_all_of_them_where_they_are_few() => Assert.Equal(
        [At("2026-03-28T01:30:00Z"), At("2026-03-29T01:00:00Z"), At("2026-03-30T00:30:00Z")],
        Cron("0 30 2 * * ?", "Europe/Berlin").Latest(At("2026-03-28T01:30:00Z"), At("2026-03-31T00:29:59Z"), 1000));

    private static IEnumerable<string> Times(string cron, string zone, string after, int count)
    {
        var expression = Cron(cron, zone);
        return expression.From(expression.After(At(after)), null, count)
            .Select(time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"));
    }

    internal static ScheduleCron Cron(string cron, string zone) =>
        ScheduleCron.Parse(cron, TimeZoneInfo.FindSystemTimeZoneById(zone), out _)!;

    internal static DateTimeOffset At(string time) => DateTimeOffset.Parse(time);
}
