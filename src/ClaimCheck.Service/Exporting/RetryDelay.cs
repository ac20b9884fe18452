namespace ClaimCheck.Service.Exporting;

/// <summary>How long after a failed try of a leased piece of work the next one comes: exponential backoff with jitter.</summary>
internal static class RetryDelay
{
    /// <summary>Doubles with each try, with jitter between a half and the whole of it, so that many don't come back at
    /// once.</summary>
    /// <param name="tries">How many have failed before this one.</param>
    /// <param name="first">After the first.</param>
    /// <param name="longest">The maximum.</param>
    public static TimeSpan After(int tries, TimeSpan first, TimeSpan longest)
    {
        var full = first * Math.Pow(2, Math.Min(tries, 20));
        return (full > longest ? longest : full) * (0.5 + (Random.Shared.NextDouble() / 2));
    }
}
