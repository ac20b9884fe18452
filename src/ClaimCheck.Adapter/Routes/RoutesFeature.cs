using ClaimCheck.Adapter.Deliveries;

namespace ClaimCheck.Adapter.Routes;

/// <summary>What the routes remember, and their clocks.</summary>
internal static class RoutesFeature
{
    public static WebApplicationBuilder AddRoutes(this WebApplicationBuilder builder, StateDirectory state)
    {
        builder.Services.AddSingleton(state).AddSingleton<DeliveryBook>().AddSingleton<RouteFailures>().AddSingleton<Scheduler>();
        return builder;
    }
}
