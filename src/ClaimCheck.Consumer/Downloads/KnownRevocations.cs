namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// The batches that this process knows to be revoked, and the reads that must be told. Bounded: the service still knows
/// those that are dropped, and refuses new links to them.
/// </summary>
internal sealed class KnownRevocations(int capacity = 100_000)
{
    private readonly Lock guard = new();
    private readonly BoundedSet<BatchId> known = new(capacity);
    private readonly Dictionary<BatchId, List<RevocationWatch>> watches = [];

    public bool Contains(BatchId batch)
    {
        lock (guard)
            return known.Contains(batch);
    }

    /// <returns>False where it was known already.</returns>
    public bool Remember(BatchId batch)
    {
        RevocationWatch[] concerned;
        lock (guard)
        {
            if (!known.Add(batch))
                return false;
            concerned = watches.TryGetValue(batch, out var all) ? [.. all] : [];
        }
        // Outside the lock: the token's callbacks run here.
        foreach (var watch in concerned)
            watch.Revoke();
        return true;
    }

    /// <summary>Notifies of the batch's revocation until it is disposed; at once where it is known already.</summary>
    public RevocationWatch Watch(BatchId batch)
    {
        var watch = new RevocationWatch(this, batch);
        bool isRevoked;
        lock (guard)
        {
            isRevoked = known.Contains(batch);
            if (!watches.TryGetValue(batch, out var all))
                watches[batch] = all = [];
            all.Add(watch);
        }
        if (isRevoked)
            watch.Revoke();
        return watch;
    }

    public void Leave(RevocationWatch watch)
    {
        lock (guard)
        {
            if (watches.TryGetValue(watch.BatchId, out var all) && all.Remove(watch) && all.Count == 0)
                watches.Remove(watch.BatchId);
        }
    }
}

/// <summary>How one read of a batch learns that it was revoked.</summary>
internal sealed class RevocationWatch(KnownRevocations revocations, BatchId batch) : IDisposable
{
    // Has no timer, hence nothing to dispose: a revocation may come while the read ends.
    private readonly CancellationTokenSource revoked = new();

    public BatchId BatchId => batch;

    public CancellationToken Token => revoked.Token;

    public void Revoke() => revoked.Cancel();

    /// <exception cref="BatchRevokedException">It is revoked.</exception>
    public void ThrowIfRevoked()
    {
        if (revoked.IsCancellationRequested)
            throw new BatchRevokedException($"{batch} was revoked: stop, and discard what was read of it.", batch);
    }

    /// <summary>
    /// Awaits a step of the read that <see cref="Token"/> cancels, and translates the reason of the cancellation.
    /// </summary>
    public async ValueTask<T> GuardAsync<T>(ValueTask<T> step)
    {
        try
        {
            return await step;
        }
        catch (OperationCanceledException) when (revoked.IsCancellationRequested)
        {
            ThrowIfRevoked();
            throw;
        }
    }

    public void Dispose() => revocations.Leave(this);
}
