using ClaimCheck.Adapter.Locations;

namespace ClaimCheck.Adapter.Retention;

/// <summary>Registers the retention of the routes' locations.</summary>
internal static class LocationRetentionFeature
{
    public static WebApplicationBuilder AddRetention(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LocationRetention>().AddHostedService<LocationRetentionWorker>();
        return builder;
    }
}
