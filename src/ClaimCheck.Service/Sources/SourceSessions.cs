namespace ClaimCheck.Service.Sources;

/// <summary>Several sessions in one snapshot: the first one holds it.</summary>
internal sealed class SourceSessions : IAsyncDisposable
{
    private readonly SourceSession holder;
    private readonly List<SourceSession> readers = [];

    private SourceSessions(SourceSession holder) => this.holder = holder;

    /// <summary>Those that read: the holder is one of them where they do not bypass the driver.</summary>
    public IReadOnlyList<SourceSession> Readers => readers;

    /// <param name="holder">Disposed with the others.</param>
    /// <param name="count">How many are to read. Where the source gives fewer, there are fewer.</param>
    /// <param name="bypassing">Whether they bypass the driver, where the source's connections allow it: that takes a
    /// connection more.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<SourceSessions> OpenAsync(
        SourceSession holder, int count, bool bypassing, CancellationToken cancellationToken)
    {
        var sessions = new SourceSessions(holder);
        try
        {
            if (bypassing)
                await sessions.AddAsync(count, bypassing, cancellationToken);
            if (sessions.readers.Count == 0)
            {
                sessions.readers.Add(holder);
                await sessions.AddAsync(count, bypassing: false, cancellationToken);
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
        // Also the holder: if it was lost, so were its locks, and a table may have been truncated between two ranges.
        foreach (var session in readers.Append(holder).Distinct())
            await session.CheckAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var session in readers)
            await session.DisposeAsync();
        await holder.DisposeAsync();
    }

    private async Task AddAsync(int count, bool bypassing, CancellationToken cancellationToken)
    {
        while (readers.Count < count && await holder.TwinAsync(bypassing, cancellationToken) is { } twin)
            readers.Add(twin);
    }
}
