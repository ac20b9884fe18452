namespace ClaimCheck.Adapter.Routes;

/// <summary>Registers the routes' locations and failures.</summary>
internal static class RoutesFeature
{
    public static WebApplicationBuilder AddRoutes(this WebApplicationBuilder builder, IReadOnlyList<Route> routes)
    {
        builder.Services.AddSingleton(_ => new RouteLocations(routes)).AddSingleton<RouteFailures>();
        return builder;
    }
}
