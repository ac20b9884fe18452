namespace ClaimCheck.Service.Staging;

/// <summary>Tells readers of staged content in this process when it may no longer be read. However many readers there are, and
/// however slowly they read, the catalog is queried once each half second, for all of them.</summary>
internal sealed class ReaderWatch(BatchStates states, CatalogSignals signals)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly CatalogWatch<Readable, bool> watch = new(
        signals,
        readable => readable.Batch is { } batch ? CatalogSignals.Of(batch) : CatalogSignals.Of(readable.Job!.Value),
        LookEvery,
        async (watched, cancellationToken) =>
        {
            var readable = await states.ReadableAsync(watched, cancellationToken);
            return watched.Where(one => !readable.Contains(one)).Select(one => (one, true));
        });

    /// <summary>Cuts a reader off once the object may no longer be read, or the catalog can't be asked.</summary>
    /// <param name="read">What it reads.</param>
    /// <param name="cutOff">Ends its reading.</param>
    /// <param name="ended">Cancelled when it has ended by itself.</param>
    public async Task WatchAsync(Readable read, Action cutOff, CancellationToken ended)
    {
        using var wait = watch.Begin(read);
        await ((Task)wait.Happened).WaitAsync(ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // A reader that can't be sure that it may still read must not continue. It can resume with a range.
        if (wait.Happened.IsCompleted && !ended.IsCancellationRequested)
            cutOff();
    }
}
