using ClaimCheck.Adapter.Deliveries;

namespace ClaimCheck.Adapter.Routes;

/// <summary>Registers the routes' state and schedules.</summary>
internal static class RoutesFeature
{
    public static WebApplicationBuilder AddRoutes(this WebApplicationBuilder builder, StateDirectory state)
    {
        builder.Services.AddSingleton(state).AddSingleton<DeliveryBook>().AddSingleton<RouteFailures>().AddSingleton<Scheduler>();
        return builder;
    }
}
