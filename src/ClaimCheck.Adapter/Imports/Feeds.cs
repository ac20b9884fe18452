using ClaimCheck.Adapter.Hosting;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer.Listening;

namespace ClaimCheck.Adapter.Imports;

/// <summary>All import routes, from the adapter's start to its end.</summary>
internal sealed class Feeds(AdapterSettings settings, ILogger<Feed> logger) : BackgroundService
{
    private readonly List<Feed> all = [.. settings.Imports.Select(route => new Feed(route, settings.Retry, logger))];

    /// <summary>The run and its route; a route that a caller may not use does not exist for it.</summary>
    public Feed? FindRun(string runId, Caller caller) => For(caller).FirstOrDefault(feed => feed.Runs.Has(runId));

    public IEnumerable<Feed> For(Caller caller) => all.Where(feed => feed.Route.IsFor(caller.Name));

    /// <summary>Runs that a caller may see, newest first.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="route">Only of this route, or null.</param>
    /// <param name="isWanted">Selects by id.</param>
    /// <param name="limit">The largest number.</param>
    public IReadOnlyList<(Feed Feed, string RunId)> List(Caller caller, string? route, Func<string, bool> isWanted, int limit) =>
        [.. For(caller).Where(feed => route is null || feed.Route.Name == route)
            .SelectMany(feed => feed.Runs.Ids().Where(isWanted).Take(limit).Select(id => (feed, id)))
            .OrderByDescending(each => each.id, StringComparer.Ordinal).Take(limit)];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(Feeds), token => Task.WhenAll(all.Select(feed => feed.RunAsync(token))), logger, stoppingToken);

    public override void Dispose()
    {
        all.ForEach(feed => feed.Dispose());
        base.Dispose();
    }
}

/// <summary>Registers the services of imports.</summary>
internal static class ImportsFeature
{
    public static WebApplicationBuilder AddImports(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Feeds>().AddHostedService(provider => provider.GetRequiredService<Feeds>());
        return builder;
    }
}
