namespace ClaimCheck.Service.Exporting;

/// <summary>The loop of a worker: leases and runs pending work, a few at a time, and returns what silent workers left to pending.
/// While the catalog is unreachable it waits.</summary>
/// <param name="signals">Signals that something is new.</param>
/// <param name="channel">The channel to listen on.</param>
/// <param name="parallelism">How many run at a time.</param>
/// <param name="lease">How long a lease lasts; a third of it is the poll interval.</param>
internal sealed class LeasedWork(CatalogSignals signals, string channel, int parallelism, TimeSpan lease, ILogger logger)
{
    // Also for those whose next try is due.
    private readonly TimeSpan every = lease / 3;

    /// <param name="take">Leases one; null where none is pending.</param>
    /// <param name="run">Runs it to its outcome.</param>
    /// <param name="reclaim">Returns those whose lease has run out to pending.</param>
    /// <param name="reclaimed">Logs one of them.</param>
    public Task RunAsync<TLease>(
        Func<CancellationToken, Task<TLease?>> take,
        Func<TLease, CancellationToken, Task> run,
        Func<CancellationToken, Task<IReadOnlyList<Guid>>> reclaim,
        Action<Guid> reclaimed,
        CancellationToken stoppingToken)
        where TLease : class
    {
        return Task.WhenAll(Enumerable.Range(0, parallelism)
            .Select(
                _ => GuardAsync(token => PeriodicWork.RunAsync(WorkAsync, signals, channel, every, logger, token), stoppingToken))
            .Append(GuardAsync(token => PeriodicWork.RunAsync(ReclaimAsync, every, logger, token), stoppingToken)));

        async Task<bool> WorkAsync(CancellationToken token)
        {
            if (await take(token) is not { } leased)
                return false;
            await run(leased, token);
            return true;
        }

        async Task<bool> ReclaimAsync(CancellationToken token)
        {
            foreach (var item in await reclaim(token))
                reclaimed(item);
            return false;
        }
    }

    // Each loop by itself: one that breaks must not leave the others with a slot less for ever.
    private Task GuardAsync(Func<CancellationToken, Task> work, CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync($"A worker for {channel}", work, logger, stoppingToken);
}
