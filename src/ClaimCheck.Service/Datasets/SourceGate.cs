namespace ClaimCheck.Service.Datasets;

/// <summary>Limits concurrent queries to one source: a folder of datasets must not take all its connections. Where the source
/// turns out to be unreachable, all waiting callers get that answer, and do not each wait for a connect timeout.</summary>
#pragma warning disable CA1001 // A semaphore whose wait handle is never used has nothing to dispose.
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
