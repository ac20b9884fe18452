namespace ClaimCheck.Records;

/// <summary>
/// Delays between tries: exponential, capped, with equal jitter (between a half and the whole), so that many do not come back at
/// once.
/// </summary>
internal static class Backoff
{
    /// <param name="failures">How often it has failed so far, from 1.</param>
    /// <param name="first">The delay after the first failure, before jitter.</param>
    /// <param name="longest">The cap.</param>
    /// <param name="asked">The delay that the other side asked for, which is the minimum; capped too.</param>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan longest, TimeSpan? asked = null)
    {
        var ceiling = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Clamp(failures - 1, 0, 40)), longest.TotalMilliseconds);
        var delay = TimeSpan.FromMilliseconds(ceiling * (0.5 + (Random.Shared.NextDouble() / 2)));
        return asked > delay ? asked.Value < longest ? asked.Value : longest : delay;
    }
}
