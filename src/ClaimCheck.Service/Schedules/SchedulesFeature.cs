namespace ClaimCheck.Service.Schedules;

internal static class SchedulesFeature
{
    public static WebApplicationBuilder AddSchedules(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<SchedulesOptions>("ClaimCheck:Schedules");
        builder.Services
            .AddSingleton<ScheduleStore>()
            .AddSingleton<ScheduleFiring>()
            .AddSingleton<RunStarter>()
            .AddSingleton<RunHistory>()
            .AddSingleton<ManualRuns>()
            .AddSingleton<ScheduleViews>();
        if (Roles.Of(builder.Configuration).IsWorker)
            builder.Services.AddHostedService<ScheduleWorker>();
        return builder;
    }
}
