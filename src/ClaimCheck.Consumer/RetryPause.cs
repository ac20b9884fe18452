namespace ClaimCheck.Consumer;

/// <summary>Delays between tries: doubling, capped, with full jitter, so that many consumers do not come back at once.</summary>
internal static class RetryPause
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <param name="attempt">The try that just failed, from 1.</param>
    /// <param name="first">The delay after the first one.</param>
    /// <param name="asked">The delay that the server asked for, which is the minimum; capped too.</param>
    /// <param name="cancellationToken">Ends the delay.</param>
    public static Task WaitAsync(int attempt, TimeSpan first, TimeSpan? asked, CancellationToken cancellationToken)
    {
        var ceiling = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(attempt - 1, 20)), Longest.TotalMilliseconds);
        var pause = TimeSpan.FromMilliseconds(ceiling * (0.5 + (Random.Shared.NextDouble() / 2)));
        if (asked > pause)
            pause = asked.Value < Longest ? asked.Value : Longest;
        return Task.Delay(pause, cancellationToken);
    }
}
