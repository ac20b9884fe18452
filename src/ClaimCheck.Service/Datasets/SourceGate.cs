namespace ClaimCheck.Service.Datasets;

/// <summary>
/// Holds questions to one source down to a few at a time: a folder of datasets must not take all its connections. Where the source
/// turns out to be away, those that waited meanwhile hear so too, and don't each wait for a connect of their own.
/// </summary>
#pragma warning disable CA1001 // A semaphore that nobody takes the wait handle of holds nothing to dispose.
internal sealed class SourceGate
#pragma warning restore CA1001
{
    private const int AtOnce = 6;
    private readonly SemaphoreSlim places = new(AtOnce);
    private Away away = new(0, null);

    public async Task<SourceAnswer> AskAsync(Func<Task<SourceAnswer>> ask)
    {
        var seen = Volatile.Read(ref away).Times;
        await places.WaitAsync();
        try
        {
            if (Volatile.Read(ref away) is { Answer: { } answer } found && found.Times > seen)
                return answer;
            var own = await ask();
            if (own is SourceAnswer.Unreachable { IsSourceAway: true } unreachable)
                Volatile.Write(ref away, new(away.Times + 1, unreachable));
            return own;
        }
        finally
        {
            places.Release();
        }
    }

    private sealed record Away(long Times, SourceAnswer.Unreachable? Answer);
}
