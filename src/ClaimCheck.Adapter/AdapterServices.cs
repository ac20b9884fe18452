using ClaimCheck.Adapter.Events;
using ClaimCheck.Adapter.Notices;
using ClaimCheck.Adapter.Retention;
using ClaimCheck.Adapter.Schedules;
using ClaimCheck.Adapter.Steps;

namespace ClaimCheck.Adapter;

/// <summary>Registers what the adapter consists of.</summary>
internal static class AdapterServices
{
    private static readonly TimeSpan StateCheckInterval = TimeSpan.FromSeconds(5);

    /// <summary>What every adapter has: its options, its state, its imports, its schedules.</summary>
    public static IServiceCollection AddRoutes(
        this IServiceCollection services, CheckedAdapterOptions options, StateDirectory state) => services
            .AddSingleton(options)
            .AddSingleton(state)
            .AddSingleton(_ => new RouteLocations(options.Routes))
            .AddSingleton<RouteFailures>()
            .AddSingleton(provider =>
                new WatchedRoutes(options.Imports, options.Retry, provider.GetRequiredService<ILogger<WatchedRoute>>()))
            .AddHostedService<ImportRoutesWorker>()
            .AddSingleton<DeliveryBook>()
            .AddSingleton<DeliveryLinks>()
            .AddSingleton<RetryDeliveries>()
            .AddSingleton<RouteScheduleWorker>()
            .AddHostedService(provider => provider.GetRequiredService<RouteScheduleWorker>());

    /// <summary>What works on deliveries, where there are any.</summary>
    public static IServiceCollection AddDeliveries(
        this IServiceCollection services, CheckedAdapterOptions options, StateDirectory state) => services
            .AddTables(options)
            .AddSingleton<ServiceApi>()
            .AddSingleton<NoticeSender>()
            .AddSingleton(provider => new BatchDownloader(
                provider.GetRequiredService<ClaimCheckClient>(),
                new BatchReaderOptions { AllowedLinkHosts = [.. options.AllowedLinkHosts] }))
            .AddSingleton(provider => new BatchPusher(
                provider.GetRequiredService<ClaimCheckClient>(), provider.GetRequiredService<BatchDownloader>(), state.Work,
                TimeProvider.System,
                provider.GetRequiredService<ILogger<BatchPusher>>()))
            .AddSingleton<DeliveryOutcomes>()
            .AddSingleton<ManifestLook>()
            .AddSingleton<Duties>()
            .AddSingleton<RevocationCheck>()
            .AddSingleton<IDeliveryStep, RequestStep>()
            .AddSingleton<IDeliveryStep, LookStep>()
            .AddSingleton<IDeliveryStep, PushStep>()
            .AddSingleton<IDeliveryStep, LoadStep>()
            .AddSingleton<IDeliveryStep, RemoveStep>()
            .AddSingleton<IDeliveryStep, CareStep>()
            .AddSingleton<DeliveryRunner>()
            .AddHostedService<DeliveryWorker>()
            .AddSingleton<LocationRetention>()
            .AddHostedService<LocationRetentionWorker>()
            .AddListeners(options, state);

    private static IServiceCollection AddTables(this IServiceCollection services, CheckedAdapterOptions options) => services
        .AddSingleton(provider => new TableInboxes(
            new RecordRunnerContext(
                provider.GetRequiredService<ClaimCheckClient>(), provider.GetRequiredService<BatchReader>(), options.Consumer,
                StateCheckInterval,
                (failed, retry) => provider.GetRequiredService<RetryDeliveries>()
                    .BeginAsync(failed, retry.ExportId, retry.BatchId, CancellationToken.None)),
            options.Routes.Select(route => route.Destination).OfType<TableDestination>(),
            provider.GetRequiredService<ILoggerFactory>()))
        .AddHostedService<TableReceiptWorker>();
}
