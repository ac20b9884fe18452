using ClaimCheck.Adapter.Locations;
using ClaimCheck.Adapter.Notices;
using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Service;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Adapter.Tables;
using ClaimCheck.Consumer;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>Registers the work on deliveries.</summary>
internal static class DeliveriesFeature
{
    public static WebApplicationBuilder AddDeliveries(this WebApplicationBuilder builder, AdapterSettings settings, StateDirectory state)
    {
        builder.Services
            .AddSingleton<ServiceApi>()
            .AddSingleton<Destinations>()
            .AddSingleton(provider => new BatchDownloader(
                provider.GetRequiredService<ClaimCheckClient>(), new BatchReaderOptions { AllowedLinkHosts = [.. settings.AllowedLinkHosts] }))
            .AddSingleton(provider => new BatchPusher(
                provider.GetRequiredService<ClaimCheckClient>(), provider.GetRequiredService<BatchDownloader>(), state.Work, TimeProvider.System,
                provider.GetRequiredService<ILogger<BatchPusher>>()))
            .AddSingleton<LocationRetention>()
            .AddSingleton<DeliveryLinks>()
            .AddSingleton<NoticeSender>()
            .AddSingleton<Asking>()
            .AddSingleton<Endings>()
            .AddSingleton<TableDestinations>()
            .AddSingleton<Loading>()
            .AddSingleton<Pushing>()
            .AddSingleton<Aftercare>()
            .AddHostedService<DeliveryRunner>()
            .AddHostedService<RetentionSweeper>()
            .AddHostedService(provider => provider.GetRequiredService<TableDestinations>())
            .AddHostedService(provider => provider.GetRequiredService<Scheduler>());
        return builder;
    }
}
