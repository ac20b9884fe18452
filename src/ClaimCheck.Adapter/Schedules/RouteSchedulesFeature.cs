namespace ClaimCheck.Adapter.Schedules;

/// <summary>What sets routes going by the clock.</summary>
internal static class RouteSchedulesFeature
{
    public static WebApplicationBuilder AddSchedules(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RouteScheduleWorker>().AddHostedService(provider => provider.GetRequiredService<RouteScheduleWorker>());
        return builder;
    }
}
