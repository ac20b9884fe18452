namespace ClaimCheck.Consumer;

/// <summary>Stores the position in the event feed up to which everything is handled. One listener uses one store.</summary>
public interface ICursorStore
{
    /// <summary>Reads the cursor.</summary>
    /// <returns>Null where none was stored yet: the listener starts with the oldest event that is kept.</returns>
    Task<string?> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Stores the cursor, replacing the previous one. It must be durable when this returns.</summary>
    Task SaveAsync(string cursor, CancellationToken cancellationToken);
}

/// <summary>Keeps the cursor in memory: after a restart the feed is read from its oldest event.</summary>
public sealed class MemoryCursorStore : ICursorStore
{
    private volatile string? cursor;

    /// <inheritdoc/>
    public Task<string?> LoadAsync(CancellationToken cancellationToken) => Task.FromResult(cursor);

    /// <inheritdoc/>
    public Task SaveAsync(string cursor, CancellationToken cancellationToken)
    {
        this.cursor = cursor;
        return Task.CompletedTask;
    }
}
