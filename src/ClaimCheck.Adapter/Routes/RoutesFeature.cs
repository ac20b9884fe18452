namespace ClaimCheck.Adapter.Routes;

/// <summary>What each route has of its own: its locations, and why it does not go on.</summary>
internal static class RoutesFeature
{
    public static WebApplicationBuilder AddRoutes(this WebApplicationBuilder builder, IReadOnlyList<Route> routes)
    {
        builder.Services.AddSingleton(_ => new RouteLocations(routes)).AddSingleton<RouteFailures>();
        return builder;
    }
}
