namespace ClaimCheck.Adapter.Imports;

/// <summary>All import routes, each with its runs.</summary>
internal sealed class WatchedRoutes(
    IReadOnlyList<ImportRoute> routes, RetryOptions retry, ILogger<WatchedRoute> logger) : IDisposable
{
    private readonly List<WatchedRoute> all = [.. routes.Select(route => new WatchedRoute(route, retry, logger))];

    /// <summary>The run and its route; a route that a caller may not use does not exist for it.</summary>
    public WatchedRoute? FindRun(string runId, ApiCaller caller) =>
        For(caller).FirstOrDefault(watched => watched.Runs.Has(runId));

    public IEnumerable<WatchedRoute> For(ApiCaller caller) => all.Where(watched => watched.Route.IsFor(caller.Name));

    /// <summary>Runs that a caller may see, newest first.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="route">Only of this route, or null.</param>
    /// <param name="isWanted">Selects by id.</param>
    /// <param name="limit">The most that are listed.</param>
    public IReadOnlyList<(WatchedRoute Watched, string RunId)> List(
        ApiCaller caller, string? route, Func<string, bool> isWanted, int limit) =>
        [.. For(caller).Where(watched => route is null || watched.Route.Name == route)
            .SelectMany(watched => watched.Runs.Ids().Where(isWanted).Take(limit).Select(id => (watched, id)))
            .OrderByDescending(each => each.id, StringComparer.Ordinal).Take(limit)];

    /// <summary>Works on all of them, until it is told to stop.</summary>
    public Task RunAsync(CancellationToken stoppingToken) => Task.WhenAll(all.Select(watched => watched.RunAsync(stoppingToken)));

    public void Dispose() => all.ForEach(watched => watched.Dispose());
}
