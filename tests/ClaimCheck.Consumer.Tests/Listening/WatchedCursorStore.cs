namespace ClaimCheck.Consumer.Tests.Listening;

/// <summary>A store in memory, whose writes a test may hold up or let fail.</summary>
internal sealed class WatchedCursorStore : ICursorStore
{
    private readonly MemoryCursorStore store = new();
    private int saves;
    private int loads;

    /// <summary>Awaited before a cursor is stored.</summary>
    public Func<CancellationToken, Task> Save { get; set; } = _ => Task.CompletedTask;

    /// <summary>Awaited before a cursor is read.</summary>
    public Func<CancellationToken, Task> Load { get; set; } = _ => Task.CompletedTask;

    /// <summary>How often a read was begun.</summary>
    public int Loads => Volatile.Read(ref loads);

    /// <summary>How often a save was begun.</summary>
    public int Saves => Volatile.Read(ref saves);

    public async Task<string?> LoadAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref loads);
        await Load(cancellationToken);
        return await store.LoadAsync(cancellationToken);
    }

    public async Task SaveAsync(string cursor, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref saves);
        await Save(cancellationToken);
        await store.SaveAsync(cursor, cancellationToken);
    }
}
