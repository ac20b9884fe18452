namespace ClaimCheck.Import.Running;

/// <summary>When failures are sent again: doubling, capped, with jitter, so that batches do not come back all at once.</summary>
internal static class RoundDelay
{
    /// <param name="retry">The options.</param>
    /// <param name="round">The round that has ended, from 1.</param>
    /// <param name="asked">The delay that the endpoint asked for, which is the minimum; capped too.</param>
    public static TimeSpan After(ImportRetryOptions retry, int round, TimeSpan? asked)
    {
        var ceiling = Math.Min(
            retry.RoundDelay.TotalMilliseconds * Math.Pow(2, Math.Min(round - 1, 20)), retry.LongestRoundDelay.TotalMilliseconds);
        var delay = TimeSpan.FromMilliseconds(ceiling * (0.5 + (Random.Shared.NextDouble() / 2)));
        if (asked > delay)
            delay = asked.Value < retry.LongestRoundDelay ? asked.Value : retry.LongestRoundDelay;
        return delay;
    }
}
