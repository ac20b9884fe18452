using ClaimCheck.Adapter.Schedules;
using Quartz;

namespace ClaimCheck.Adapter.Tests.Schedules;

/// <summary>Which moment counts, whatever passed while no process ran.</summary>
[Trait("needs", "nothing")]
public sealed class Moments_of_a_clock
{
    private static readonly DateTimeOffset Now = new(2026, 6, 15, 12, 0, 30, TimeSpan.Zero);

    [Theory]
    [InlineData("0 * * * * ?", 20, null)]
    [InlineData("0 * * * * ?", 30, "2026-06-15T12:00:00Z")]
    [InlineData("0 * * * * ?", 864_000, "2026-06-15T12:00:00Z")]
    [InlineData("* * * * * ?", 315_360_000, "2026-06-15T12:00:30Z")]
    [InlineData("0 0 2 * * ?", 86_400, "2026-06-15T00:00:00Z")]
    [InlineData("0 0 2 1 1 ?", 31_536_000, "2026-01-01T01:00:00Z")]
    [InlineData("0 0 2 29 2 ?", 315_360_000, "2024-02-29T01:00:00Z")]
    public void The_last_one_that_has_passed_counts(string cron, int secondsAgo, string? expected)
    {
        var expression = new CronExpression(cron, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));

        var due = Fires.LatestDue(expression, Now - TimeSpan.FromSeconds(secondsAgo == 30 ? 31 : secondsAgo), Now);

        Assert.Equal(expected, due?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"));
    }

    [Fact]
    public void A_moment_that_was_seen_to_does_not_count_again()
    {
        var expression = new CronExpression("0 0 12 * * ?", TimeZoneInfo.Utc);
        var noon = new DateTimeOffset(2026, 6, 15, 12, 0, 0, TimeSpan.Zero);

        Assert.Equal(noon, Fires.LatestDue(expression, noon.AddSeconds(-1), Now));
        Assert.Null(Fires.LatestDue(expression, noon, Now));
    }
}
