namespace ClaimCheck.Service.Datasets;

/// <summary>An answer that many callers share, asked for at most once per interval. No caller can cancel the query for the
/// others.</summary>
/// <param name="ask">Throws nothing.</param>
/// <param name="fresh">For how long an answer is reused.</param>
/// <param name="clock">Measures that.</param>
internal sealed class SharedAnswer<T>(Func<Task<T>> ask, Func<T, TimeSpan> fresh, TimeProvider clock)
{
    private readonly Lock gate = new();
    private Task<T>? latest;
    private long answeredAt;

    /// <param name="anew">Whether the query must begin after this call.</param>
    /// <param name="cancellationToken">Cancels the wait only.</param>
    public Task<T> GetAsync(bool anew, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (latest is null)
                latest = AskAsync();
            else if (!latest.IsCompleted)
                latest = anew ? AfterAsync(latest) : latest;
            else if (anew || !latest.IsCompletedSuccessfully
                || clock.GetElapsedTime(Interlocked.Read(ref answeredAt)) >= fresh(latest.Result))
                latest = AskAsync();
            return latest.WaitAsync(cancellationToken);
        }
    }

    private async Task<T> AfterAsync(Task<T> before)
    {
        await before;
        return await AskAsync();
    }

    private async Task<T> AskAsync()
    {
        try
        {
            return await ask();
        }
        finally
        {
            Interlocked.Exchange(ref answeredAt, clock.GetTimestamp());
        }
    }
}
