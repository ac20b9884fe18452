namespace ClaimCheck.Adapter.Schedules;

/// <summary>Registers the schedules of routes.</summary>
internal static class RouteSchedulesFeature
{
    public static WebApplicationBuilder AddSchedules(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RouteScheduleWorker>().AddHostedService(provider => provider.GetRequiredService<RouteScheduleWorker>());
        return builder;
    }
}
