using ClaimCheck.Adapter.Tables;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>Registers what the adapter keeps of its deliveries.</summary>
internal static class DeliveriesFeature
{
    public static WebApplicationBuilder AddDeliveries(this WebApplicationBuilder builder, StateDirectory state)
    {
        builder.Services
            .AddSingleton(state)
            .AddSingleton<DeliveryBook>()
            .AddSingleton<DeliveryLinks>()
            .AddSingleton<RetryDeliveries>()
            .AddSingleton<BatchRetried>(provider => (failed, retry) =>
                provider.GetRequiredService<RetryDeliveries>().BeginAsync(failed, retry.ExportId, retry.BatchId, CancellationToken.None));
        return builder;
    }
}
