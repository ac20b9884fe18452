using Quartz;

namespace ClaimCheck.Adapter.Schedules;

/// <summary>The moments at which a cron expression fires.</summary>
internal static class Fires
{
    private static readonly TimeSpan[] Windows =
        [TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromDays(32), TimeSpan.FromDays(400)];

    /// <summary>The last moment after <paramref name="after"/> and up to <paramref name="now"/>, or null where
    /// there is none.</summary>
    public static DateTimeOffset? LatestDue(CronExpression cron, DateTimeOffset after, DateTimeOffset now)
    {
        // Near its end first: an expression that fires each second, and a process that was stopped for a month, yield millions of
        // them.
        foreach (var window in Windows)
        {
            if (now - window <= after)
                break;
            if (LastIn(cron, now - window, now) is { } found)
                return found;
        }

        return LastIn(cron, after, now);
    }

    private static DateTimeOffset? LastIn(CronExpression cron, DateTimeOffset after, DateTimeOffset now)
    {
        DateTimeOffset? last = null;
        for (var next = cron.GetNextValidTimeAfter(after); next <= now; next = cron.GetNextValidTimeAfter(next.Value))
            last = next;
        return last;
    }
}
