namespace ClaimCheck.Consumer.Downloads;

/// <summary>Fetches, verifies and inflates one block while the caller works on the previous one.</summary>
internal sealed class Prefetch : IAsyncDisposable
{
    private readonly CancellationTokenSource stop;
    private readonly IAsyncEnumerator<VerifiedBlock> blocks;
    private Task<bool> pending;

    public Prefetch(IAsyncEnumerable<VerifiedBlock> source, CancellationToken cancellationToken)
    {
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        blocks = source.GetAsyncEnumerator(stop.Token);
        pending = Begin();
    }

    /// <summary>The next block, which the caller disposes; null after the last one.</summary>
    public async ValueTask<VerifiedBlock?> NextAsync()
    {
        if (!await pending)
            return null;
        var block = blocks.Current;
        pending = Begin();
        return block;
    }

    /// <summary>
    /// Throws as soon as it is known that the batch has ended: a block that is fetched already must not be returned either.
    /// </summary>
    public void ThrowIfEnded()
    {
        if (pending.IsFaulted && pending.Exception.InnerException is BatchEndedException)
            pending.GetAwaiter().GetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        try
        {
            if (await pending)
                blocks.Current.Dispose();
        }
        catch (Exception e) when (e is OperationCanceledException or ClaimCheckException)
        {
            // The caller has left, or has seen it already.
        }
        await blocks.DisposeAsync();
        stop.Dispose();
    }

    // On another thread: bytes that have arrived already are hashed and inflated without a single await.
    private Task<bool> Begin() => Task.Run(() => blocks.MoveNextAsync().AsTask());
}
