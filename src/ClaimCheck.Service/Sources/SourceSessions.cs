namespace ClaimCheck.Service.Sources;

/// <summary>Several sessions in one snapshot: the first one holds it.</summary>
internal sealed class SourceSessions : IAsyncDisposable
{
    private readonly SourceSession holder;
    private readonly List<SourceSession> readers = [];

    private SourceSessions(SourceSession holder) => this.holder = holder;

    /// <summary>Those that read: the holder is one of them where they are not relayed.</summary>
    public IReadOnlyList<SourceSession> Readers => readers;

    /// <param name="holder">Disposed with the others.</param>
    /// <param name="count">How many are to read. Where the source gives fewer, there are fewer.</param>
    /// <param name="relayed">Whether they read through relays, where the source's connections can be relayed: it takes a
    /// connection more.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<SourceSessions> OpenAsync(
        SourceSession holder, int count, bool relayed, CancellationToken cancellationToken)
    {
        var sessions = new SourceSessions(holder);
        try
        {
            if (relayed)
                await sessions.AddAsync(count, relayed, cancellationToken);
            if (sessions.readers.Count == 0)
            {
                sessions.readers.Add(holder);
                await sessions.AddAsync(count, relayed: false, cancellationToken);
            }

            return sessions;
        }
        catch
        {
            await sessions.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc cref="SourceSession.CheckAsync"/>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        foreach (var session in readers)
            await session.CheckAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in readers)
            await session.DisposeAsync();
        await holder.DisposeAsync();
    }

    private async Task AddAsync(int count, bool relayed, CancellationToken cancellationToken)
    {
        while (readers.Count < count && await holder.TwinAsync(relayed, cancellationToken) is { } twin)
            readers.Add(twin);
    }
}
