namespace ClaimCheck.Service.Sources;

/// <summary>Several sessions in one snapshot: the first one holds it, and all of them read.</summary>
internal sealed class SourceSessions : IAsyncDisposable
{
    private readonly List<SourceSession> all;

    private SourceSessions(SourceSession first) => all = [first];

    public IReadOnlyList<SourceSession> All => all;

    /// <param name="first">The holder; disposed with the others.</param>
    /// <param name="count">How many there are to be. Where the source gives fewer, there are fewer.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<SourceSessions> OpenAsync(SourceSession first, int count, CancellationToken cancellationToken)
    {
        var sessions = new SourceSessions(first);
        try
        {
            while (sessions.all.Count < count && await first.TwinAsync(cancellationToken) is { } twin)
                sessions.all.Add(twin);
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
        foreach (var session in all)
            await session.CheckAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = all.Count - 1; i >= 0; i--)
            await all[i].DisposeAsync();
    }
}
