namespace ClaimCheck.Service.Catalog;

/// <summary>Waits until something has happened to a row, for callers that asked to (<c>Prefer: wait=N</c>).</summary>
internal sealed class LongPoll(TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <param name="watch">Tells when it has happened.</param>
    /// <param name="key">The row.</param>
    /// <param name="read">Reads the row.</param>
    /// <param name="hasHappened">True for a row that need not be waited for.</param>
    /// <param name="atMost">How long to wait.</param>
    /// <returns>The row as it is then, even where the time is up or the service stops.</returns>
    public async Task<TRow> UntilAsync<TKey, TRow>(
        CatalogWatch<TKey, TRow> watch,
        TKey key,
        Func<CancellationToken, Task<TRow>> read,
        Func<TRow, bool> hasHappened,
        TimeSpan atMost,
        CancellationToken cancellationToken)
        where TKey : notnull
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var wait = watch.Begin(key);
        var row = await read(cancellationToken);
        if (hasHappened(row) || atMost <= TimeSpan.Zero)
            return row;
        return await wait.WithinAsync(atMost, time, stopping.Token) ? await wait.Happened : await read(cancellationToken);
    }
}
