using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Adapter.Options;
using ClaimCheck.Consumer;

namespace ClaimCheck.Adapter.Steps;

/// <summary>Registers the work on deliveries.</summary>
internal static class StepsFeature
{
    public static WebApplicationBuilder AddSteps(this WebApplicationBuilder builder, CheckedAdapterOptions options, StateDirectory state)
    {
        builder.Services
            .AddSingleton(provider => new BatchDownloader(
                provider.GetRequiredService<ClaimCheckClient>(), new BatchReaderOptions { AllowedLinkHosts = [.. options.AllowedLinkHosts] }))
            .AddSingleton(provider => new BatchPusher(
                provider.GetRequiredService<ClaimCheckClient>(), provider.GetRequiredService<BatchDownloader>(), state.Work, TimeProvider.System,
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
            .AddHostedService<DeliveryWorker>();
        return builder;
    }
}
