namespace ClaimCheck.Adapter.Retries;

/// <summary>When to look again where nothing has failed.</summary>
internal static class PollInterval
{
    /// <summary>A fifth more or less, so that many deliveries do not look at once.</summary>
    public static TimeSpan Jittered(TimeSpan interval) => interval * (0.8 + (Random.Shared.NextDouble() * 0.4));

    /// <summary>Longer by half after each look that found nothing, with jitter.</summary>
    /// <param name="looks">The number of looks so far, from 1.</param>
    /// <param name="first">The interval after the first.</param>
    /// <param name="longest">The longest.</param>
    public static TimeSpan After(int looks, TimeSpan first, TimeSpan longest) =>
        Jittered(TimeSpan.FromMilliseconds(
            Math.Min(first.TotalMilliseconds * Math.Pow(1.5, Math.Clamp(looks - 1, 0, 64)), longest.TotalMilliseconds)));
}
