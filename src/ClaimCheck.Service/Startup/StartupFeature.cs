namespace ClaimCheck.Service.Startup;

/// <summary>What everything else is built on: time, roles, folders of this process, and how it stops.</summary>
internal static class StartupFeature
{
    public static WebApplicationBuilder AddStartup(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ServiceOptions>(ServiceOptions.Section).AddKnownSettings<string>(Roles.Setting)
            .AddKnownSettings<List<string>>(Roles.Setting);
        builder.Services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<PublicAddress>()
            .AddSingleton(new TemporaryFiles(Path.Combine(DataDirectory.Of(builder.Configuration), "tmp")))
            .Configure<HostOptions>(host =>
            {
                host.ShutdownTimeout = TimeSpan.FromSeconds(20);
                // Workers give their leases back at once, however long downloads still take.
                host.ServicesStopConcurrently = true;
            });
        return builder;
    }

    /// <summary>Removes what an earlier process, killed, has left of temporary files.</summary>
    public static Task SweepTemporaryFiles(WebApplication app, CancellationToken cancellationToken)
    {
        app.Services.GetRequiredService<TemporaryFiles>().Sweep();
        return Task.CompletedTask;
    }
}
