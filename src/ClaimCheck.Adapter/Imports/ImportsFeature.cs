using ClaimCheck.Adapter.Retries;

namespace ClaimCheck.Adapter.Imports;

/// <summary>Registers the services of imports.</summary>
internal static class ImportsFeature
{
    public static WebApplicationBuilder AddImports(this WebApplicationBuilder builder, IReadOnlyList<ImportRoute> routes, RetryOptions retry)
    {
        builder.Services
            .AddSingleton(provider => new WatchedRoutes(routes, retry, provider.GetRequiredService<ILogger<WatchedRoute>>()))
            .AddHostedService<ImportRoutesWorker>();
        return builder;
    }
}
