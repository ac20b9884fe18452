using ClaimCheck.Service.Schedules;

namespace ClaimCheck.Service.Tests.Schedules;

[Trait("needs", "nothing")]
public sealed class Relative_times
{
    [Theory]
    [InlineData("-P1D", "startOfDay", "2026-06-15T10:20:30Z", "2026-06-13T22:00:00Z")]
    [InlineData("PT0S", "startOfDay", "2026-06-15T10:20:30Z", "2026-06-14T22:00:00Z")]
    [InlineData("PT0S", "startOfDay", "2026-06-15T22:30:00Z", "2026-06-15T22:00:00Z")] // in Berlin it is the 16th
    [InlineData("-PT1H", "startOfHour", "2026-06-15T10:20:30Z", "2026-06-15T09:00:00Z")]
    [InlineData("-P1W", "startOfWeek", "2026-06-17T10:20:30Z", "2026-06-07T22:00:00Z")] // Mondays
    [InlineData("PT0S", "startOfWeek", "2026-06-14T10:00:00Z", "2026-06-07T22:00:00Z")] // a Sunday
    [InlineData("-P1M", "startOfMonth", "2026-03-31T10:00:00Z", "2026-01-31T23:00:00Z")]
    [InlineData("-P1Y", "none", "2026-02-28T10:00:00Z", "2025-02-28T10:00:00Z")]
    [InlineData("-PT90M", "none", "2026-06-15T10:20:30Z", "2026-06-15T08:50:30Z")]
    [InlineData("P1DT12H", "none", "2026-06-15T10:00:00Z", "2026-06-16T22:00:00Z")]
    // A day is a day of the calendar: 23 hours before in March, 25 in October.
    [InlineData("-P1D", "none", "2026-03-29T10:00:00Z", "2026-03-28T11:00:00Z")]
    [InlineData("-P1D", "none", "2026-10-25T11:00:00Z", "2026-10-24T10:00:00Z")]
    [InlineData("-PT24H", "none", "2026-03-29T10:00:00Z", "2026-03-28T10:00:00Z")]
    // Into the gap: as far behind it. Into the hour that comes twice: the first one.
    [InlineData("-P1D", "none", "2026-03-30T00:30:00Z", "2026-03-29T01:30:00Z")]
    [InlineData("-P1D", "none", "2026-10-26T01:30:00Z", "2026-10-25T00:30:00Z")]
    [InlineData("PT0S", "startOfHour", "2026-10-25T01:40:00Z", "2026-10-25T01:00:00Z")]
    public void Are_counted_from_the_fire_time_in_the_schedule_s_zone(
        string duration, string anchor, string fireTime, string expected) =>
        Assert.Equal(
            Times_of_a_schedule.At(expected),
            RelativeTime.Parse(duration, anchor)!
                .From(Times_of_a_schedule.At(fireTime), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")));

    [Fact]
    public void The_start_of_a_day_without_a_midnight_is_its_first_moment() => Assert.Equal(
        Times_of_a_schedule.At("2018-11-04T03:00:00Z"),
        RelativeTime.Parse("PT0S", "startOfDay")!.From(
            Times_of_a_schedule.At("2018-11-04T15:00:00Z"), TimeZoneInfo.FindSystemTimeZoneById("America/Sao_Paulo")));

    [Theory]
    [InlineData("")]
    [InlineData("P")]
    [InlineData("-P1DT")]
    [InlineData("1D")]
    [InlineData("--P1D")]
    [InlineData("P1.5D")]
    [InlineData("P101Y")]
    [InlineData("-P999999D")]
    [InlineData("PT999999999H")]
    [InlineData("yesterday")]
    public void Are_refused_where_they_are_no_duration_or_too_long(string duration) =>
        Assert.Null(RelativeTime.Parse(duration, "none"));
}
