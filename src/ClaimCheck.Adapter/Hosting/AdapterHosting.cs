using ClaimCheck.Adapter.Settings;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Hosting;

/// <summary>What every call shares: limits, keys, problems, health, logs.</summary>
internal static class AdapterHosting
{
    private const long LargestBody = 1 << 20;

    public static WebApplicationBuilder AddHosting(this WebApplicationBuilder builder, AdapterSettings settings)
    {
        builder.Services
            .AddSingleton(settings)
            .AddSingleton(TimeProvider.System)
            .AddSingleton(AdapterProblems.Known)
            .ConfigureHttpJsonOptions(json => ClaimCheckJson.Configure(json.SerializerOptions))
            .Configure<HostOptions>(host =>
            {
                host.ShutdownTimeout = TimeSpan.FromSeconds(20);
                host.ServicesStopConcurrently = true;
            })
            .Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Logging.AddLinkSafeConsole();
        var allowed = CallerKeys.Addresses(settings);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                allowed.CheckBound(endpoint.EndPoint);
                endpoint.AddBodies(AdapterProblems.Known.ToUtf8);
            });
        });
        return builder;
    }

    /// <summary>What happens to every call. Who may is decided before the query is judged, and that before anything is done.</summary>
    public static WebApplication UseHosting(this WebApplication app)
    {
        app.UseProblems(_ => null);
        app.UseStreaming();
        app.UseMiddleware<CallerKeys>();
        app.UseKnownQuery();
        return app;
    }
}
