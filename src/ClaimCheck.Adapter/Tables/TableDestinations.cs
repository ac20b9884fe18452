using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer;
using ClaimCheck.Consumer.Handling;
using ClaimCheck.Consumer.Listening;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Tables;

/// <summary>
/// The databases whose tables the routes load into, each with an inbox of its own. Runs the sending of their receipts; and begins
/// a delivery for each retry that the service exports.
/// </summary>
internal sealed partial class TableDestinations : BackgroundService, IAsyncDisposable
{
    private const int ChunkAttempts = 3;
    private static readonly TimeSpan StateCheckInterval = TimeSpan.FromSeconds(5);

    private readonly Dictionary<(string ConnectionString, TimeSpan Lease), RecordRun> runs = [];
    private readonly AdapterSettings settings;
    private readonly DeliveryBook book;
    private readonly ILogger<TableDestinations> logger;

    public TableDestinations(AdapterSettings settings, ClaimCheckClient client, BatchReader reader, DeliveryBook book, ILoggerFactory loggers)
    {
        (this.settings, this.book, logger) = (settings, book, loggers.CreateLogger<TableDestinations>());
        var context = new RecordRunContext(client, reader, settings.Consumer, StateCheckInterval, RetryingAsync);
        foreach (var table in settings.Routes.Select(route => route.Destination).OfType<TableDestination>())
        {
            if (!runs.ContainsKey((table.ConnectionString, table.Lease)))
                runs.Add((table.ConnectionString, table.Lease), new(context, InboxOf(table), loggers));
        }
    }

    /// <summary>Loads a batch, or what is left of it.</summary>
    /// <param name="route">The route of the table.</param>
    /// <param name="ready">The batch.</param>
    /// <param name="deleted">Called where the batch turned out to be revoked, with the number of its records that were
    /// deleted.</param>
    /// <param name="cancellationToken">Stops it after the current chunk.</param>
    public async Task<RecordRunResult> LoadAsync(Route route, BulkReadyData ready, Action<long> deleted, CancellationToken cancellationToken)
    {
        var table = (TableDestination)route.Destination;
        var loader = new TableLoader(table, ChunkAttempts, logger);
        var options = new RecordOptions { ChunkSize = table.ChunkSize, ChunkAttempts = ChunkAttempts, RetryTransient = table.RetryTransient };
        try
        {
            return await RunOf(table).ApplyAsync(loader, ready, options, cancellationToken);
        }
        finally
        {
            if (loader.Deleted is { } count)
                deleted(count);
        }
    }

    /// <summary>Records that a batch is revoked.</summary>
    /// <returns>How many records were deleted; null where none are, or that was done already.</returns>
    public async Task<long?> DiscardAsync(Route route, BatchId batchId, string dataset, string? reason, CancellationToken cancellationToken)
    {
        var table = (TableDestination)route.Destination;
        var loader = new TableLoader(table, ChunkAttempts, logger);
        await RunOf(table).DiscardAsync(loader, batchId, dataset, reason, cancellationToken);
        return loader.Deleted;
    }

    public static InboxOptions InboxOf(TableDestination table) => new() { ConnectionString = table.ConnectionString, Lease = table.Lease };

    public async ValueTask DisposeAsync()
    {
        Dispose();
        foreach (var run in runs.Values)
            await run.DisposeAsync();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(TableDestinations), token => Task.WhenAll(runs.Values.Select(run => run.RunAsync(token))), logger, stoppingToken);

    private RecordRun RunOf(TableDestination table) => runs[(table.ConnectionString, table.Lease)];

    private async Task RetryingAsync(BatchId failed, Export retry)
    {
        foreach (var delivery in book.OfBatch(failed).ToList())
        {
            if (settings.Find(delivery.Document.Route) is not { Destination: TableDestination } route)
                continue;
            var (again, isNew) = await book.BeginRetryAsync(route, failed, retry.ExportId, retry.BatchId, CancellationToken.None);
            if (isNew)
                Log.Retrying(logger, again.Document.Id, route.Name, retry.BatchId, failed);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} waits for batch {BatchId}, the transient failures of batch {Failed}.")]
        public static partial void Retrying(ILogger logger, string deliveryId, string route, BatchId batchId, BatchId failed);
    }
}
