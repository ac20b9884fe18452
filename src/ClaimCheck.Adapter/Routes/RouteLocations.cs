namespace ClaimCheck.Adapter.Routes;

/// <summary>The locations that the routes deliver to and look at, each opened once. Disposed with the process.</summary>
internal sealed class RouteLocations : IAsyncDisposable
{
    private readonly Dictionary<string, ISharedLocation> targets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ISharedLocation> places = new(StringComparer.Ordinal);

    public RouteLocations(IEnumerable<Route> routes)
    {
        foreach (var route in routes)
        {
            if (route.Destination is LocationDestination destination)
                targets[route.Name] = SharedLocations.Create(destination.Location);
            if (route.WaitAt is { } waitAt)
                places[route.Name] = SharedLocations.Create(waitAt);
        }
    }

    /// <summary>Where a route's files are pushed.</summary>
    public ISharedLocation Of(Route route) => targets[route.Name];

    /// <summary>Where a route looks for its batches.</summary>
    public ISharedLocation PlaceOf(Route route) => places[route.Name];

    public async ValueTask DisposeAsync()
    {
        foreach (var location in targets.Values.Concat(places.Values))
            await location.DisposeAsync();
    }
}
