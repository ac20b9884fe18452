namespace ClaimCheck.Service.Catalog;

/// <summary>Waits for changes in the catalog on behalf of many waiters: one statement for all their keys, at each signal and at
/// each tick, however many wait. Without waiters it queries nothing.</summary>
/// <param name="signals">Signals that something is new.</param>
/// <param name="topicOf">The signals that concern a key.</param>
/// <param name="lookEvery">The poll interval: a lost signal costs at most this.</param>
/// <param name="look">Returns those of the keys for which it has happened, and the result.</param>
internal sealed class CatalogWatch<TKey, TRow>(
    CatalogSignals signals,
    Func<TKey, string> topicOf,
    TimeSpan lookEvery,
    Func<IReadOnlyCollection<TKey>, CancellationToken, Task<IEnumerable<(TKey Key, TRow Row)>>> look)
    where TKey : notnull
{
    // Waiters that are cut off when the catalog does not answer must not wait long for that.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Awaited> awaited = [];
    private readonly CatalogSignals.WakeUps wakeUps = new();
    private Task? looking;

    /// <summary>Begins to wait. The caller reads the state after this call; any change after it completes the wait. Dispose
    /// it.</summary>
    public Wait Begin(TKey key)
    {
        lock (gate)
        {
            if (!awaited.TryGetValue(key, out var one))
                awaited[key] = one = new(signals.Listen(topicOf(key), wakeUps));
            one.Waiting++;
            looking ??= LookAsync();
            return new(this, key, one);
        }
    }

    // Never throws: failures are passed to the waiters.
    private async Task LookAsync()
    {
        await Task.Yield();
        while (true)
        {
            await wakeUps.WaitAsync(lookEvery, CancellationToken.None);
            TKey[] keys;
            lock (gate)
            {
                if (awaited.Count == 0)
                {
                    looking = null;
                    return;
                }

                keys = [.. awaited.Keys];
            }

            using var limit = new CancellationTokenSource(Patience);
            try
            {
                foreach (var (key, row) in await look(keys, limit.Token))
                    End(key)?.Source.TrySetResult(row);
            }
            catch (Exception e)
            {
                var reason =
                    limit.IsCancellationRequested ? new TimeoutException($"The catalog has not answered for {Patience}.", e) : e;
                foreach (var key in keys)
                    End(key)?.Source.TrySetException(reason);
            }
        }
    }

    private Awaited? End(TKey key)
    {
        lock (gate)
        {
            if (!awaited.Remove(key, out var one))
                return null;
            one.Listener.Dispose();
            return one;
        }
    }

    private void Leave(TKey key, Awaited one)
    {
        lock (gate)
        {
            if (--one.Waiting == 0 && awaited.TryGetValue(key, out var current) && current == one)
                End(key);
        }
    }

    /// <summary>What all waiters for one key share.</summary>
    internal sealed class Awaited(IDisposable listener)
    {
        public IDisposable Listener => listener;

        public TaskCompletionSource<TRow> Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Waiting { get; set; }
    }

    /// <summary>One waiter.</summary>
    internal sealed class Wait(CatalogWatch<TKey, TRow> owner, TKey key, Awaited one) : IDisposable
    {
        /// <summary>Completes when it happens; fails when the catalog can't be queried.</summary>
        public Task<TRow> Happened => one.Source.Task;

        /// <returns>False when the time was up, or the wait was cancelled.</returns>
        public async Task<bool> WithinAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
        {
            await ((Task)Happened).WaitAsync(atMost, time, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return Happened.IsCompleted;
        }

        public void Dispose() => owner.Leave(key, one);
    }
}
