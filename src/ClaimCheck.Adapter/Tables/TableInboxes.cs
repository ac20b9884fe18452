using ClaimCheck.Consumer;
using ClaimCheck.Consumer.Handling;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Tables;

/// <summary>The databases whose tables are loaded into, each with an inbox of its own.</summary>
internal sealed class TableInboxes : IAsyncDisposable
{
    private const int ChunkAttempts = 3;

    private readonly Dictionary<(string ConnectionString, TimeSpan Lease), RecordRun> runs = [];
    private readonly ILogger logger;

    public TableInboxes(RecordRunContext context, IEnumerable<TableDestination> tables, ILoggerFactory loggers)
    {
        logger = loggers.CreateLogger<TableInboxes>();
        foreach (var table in tables)
        {
            if (!runs.ContainsKey((table.ConnectionString, table.Lease)))
                runs.Add((table.ConnectionString, table.Lease), new(context, OptionsOf(table), loggers));
        }
    }

    public static InboxOptions OptionsOf(TableDestination table) => new() { ConnectionString = table.ConnectionString, Lease = table.Lease };

    /// <summary>Loads a batch, or what is left of it.</summary>
    /// <param name="table">Where it goes.</param>
    /// <param name="ready">The batch.</param>
    /// <param name="deleted">Called where the batch turned out to be revoked, with the number of its records that were
    /// deleted.</param>
    /// <param name="cancellationToken">Stops it after the current chunk.</param>
    public async Task<RecordRunResult> LoadAsync(TableDestination table, BulkReadyData ready, Action<long> deleted, CancellationToken cancellationToken)
    {
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
    public async Task<long?> DiscardAsync(TableDestination table, BatchId batchId, string dataset, string? reason, CancellationToken cancellationToken)
    {
        var loader = new TableLoader(table, ChunkAttempts, logger);
        await RunOf(table).DiscardAsync(loader, batchId, dataset, reason, cancellationToken);
        return loader.Deleted;
    }

    /// <summary>Sends the receipts of all inboxes, until it is told to stop.</summary>
    public Task SendReceiptsAsync(CancellationToken stoppingToken) => Task.WhenAll(runs.Values.Select(run => run.RunAsync(stoppingToken)));

    public async ValueTask DisposeAsync()
    {
        foreach (var run in runs.Values)
            await run.DisposeAsync();
    }

    private RecordRun RunOf(TableDestination table) => runs[(table.ConnectionString, table.Lease)];
}
