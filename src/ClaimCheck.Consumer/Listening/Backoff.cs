namespace ClaimCheck.Consumer.Listening;

/// <summary>Delays between tries: doubling, capped, with jitter.</summary>
internal static class Backoff
{
    /// <param name="failures">How often it has failed so far, from 1.</param>
    /// <param name="first">The pause after the first failure.</param>
    /// <param name="longest">The cap.</param>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan longest)
    {
        var ceiling = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Clamp(failures - 1, 0, 20)), longest.TotalSeconds);
        return TimeSpan.FromSeconds(ceiling * (0.75 + (Random.Shared.NextDouble() / 4)));
    }
}
