using ClaimCheck.Consumer;
using ClaimCheck.Consumer.Handling;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Called, at least once, with the retry batch that the service has created.</summary>
internal delegate Task BatchRetried(BatchId failed, Export retry);

/// <summary>Registers the loading of tables.</summary>
internal static class TablesFeature
{
    private static readonly TimeSpan StateCheckInterval = TimeSpan.FromSeconds(5);

    public static WebApplicationBuilder AddTables(this WebApplicationBuilder builder, IReadOnlyList<Route> routes, string consumer)
    {
        builder.Services
            .AddSingleton(provider => new TableInboxes(
                new RecordRunnerContext(
                    provider.GetRequiredService<ClaimCheckClient>(), provider.GetRequiredService<BatchReader>(), consumer, StateCheckInterval,
                    provider.GetRequiredService<BatchRetried>().Invoke),
                routes.Select(route => route.Destination).OfType<TableDestination>(),
                provider.GetRequiredService<ILoggerFactory>()))
            .AddHostedService<TableReceiptWorker>();
        return builder;
    }
}
