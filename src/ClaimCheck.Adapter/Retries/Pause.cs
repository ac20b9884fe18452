namespace ClaimCheck.Adapter.Retries;

/// <summary>Delays that grow, with jitter, so that many deliveries do not come at once.</summary>
internal static class Pause
{
    /// <param name="failures">The number of failures so far, from 1.</param>
    /// <param name="first">The delay after the first.</param>
    /// <param name="longest">The longest.</param>
    /// <param name="factor">The factor from each delay to the next.</param>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan longest, double factor = 2) =>
        Jittered(TimeSpan.FromMilliseconds(Math.Min(first.TotalMilliseconds * Math.Pow(factor, Math.Clamp(failures - 1, 0, 64)), longest.TotalMilliseconds)));

    /// <summary>A fifth more or less.</summary>
    public static TimeSpan Jittered(TimeSpan pause) => pause * (0.8 + (Random.Shared.NextDouble() * 0.4));
}
