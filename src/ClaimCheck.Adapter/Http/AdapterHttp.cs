namespace ClaimCheck.Adapter.Http;

/// <summary>What every call shares: limits, keys, problems, health, logs.</summary>
internal static class AdapterHttp
{
    private const long LargestBody = 1 << 20;

    public static WebApplicationBuilder AddHttp(this WebApplicationBuilder builder, AccessRules access, TimeSpan askAgainAfter)
    {
        builder.Services
            .AddSingleton(access)
            .AddSingleton(new AskAgain(askAgainAfter))
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
        var allowed = access.Addresses;
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

    /// <summary>
    /// The pipeline of every call. Access is decided before the query is checked, and that before anything is done.
    /// </summary>
    public static WebApplication UseHttp(this WebApplication app)
    {
        app.UseProblems(_ => null);
        app.UseStreaming();
        app.UseMiddleware<CallerKeys>();
        app.UseKnownQuery();
        return app;
    }
}
