namespace ClaimCheck.Service.Catalog;

/// <summary>Reads that many callers ask for at once are made once for all of them. Each caller gets a result that was read after
/// it asked: where a read is under way already, all callers that arrive meanwhile share the one that follows it.</summary>
internal sealed class SharedReads<TKey, TValue>
    where TKey : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Line> lines = [];

    /// <param name="key">What is read: equal keys share.</param>
    /// <param name="read">Reads it. One caller's cancellation is not the others'.</param>
    public Task<TValue> ReadAsync(TKey key, Func<CancellationToken, Task<TValue>> read, CancellationToken cancellationToken)
    {
        Task<TValue> shared;
        lock (gate)
        {
            if (!lines.TryGetValue(key, out var line))
                lines[key] = line = new();
            if (line.Next is null)
                line.Last = line.Next = FollowAsync(key, line, line.Last, read);
            shared = line.Next;
        }

        return shared.WaitAsync(cancellationToken);
    }

    private async Task<TValue> FollowAsync(TKey key, Line line, Task before, Func<CancellationToken, Task<TValue>> read)
    {
        await Task.Yield(); // outside the lock
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
            line.Next = null;
        try
        {
            return await read(CancellationToken.None);
        }
        finally
        {
            lock (gate)
            {
                if (line.Next is null)
                    lines.Remove(key);
            }
        }
    }

    private sealed class Line
    {
        public Task<TValue>? Next { get; set; }

        public Task Last { get; set; } = Task.CompletedTask;
    }
}
