namespace ClaimCheck.Adapter.Tables;

/// <summary>The databases whose tables are loaded into, each with an inbox of its own.</summary>
internal sealed class TableInboxes : IAsyncDisposable
{
    private const int ChunkAttempts = 3;

    private readonly Dictionary<(string ConnectionString, TimeSpan Lease), RecordRunner> runners = [];
    private readonly ILogger logger;

    public TableInboxes(RecordRunnerContext context, IEnumerable<TableDestination> tables, ILoggerFactory loggers)
    {
        logger = loggers.CreateLogger<TableInboxes>();
        foreach (var table in tables)
        {
            if (!runners.ContainsKey((table.ConnectionString, table.Lease)))
                runners.Add((table.ConnectionString, table.Lease), new(context, OptionsOf(table), loggers));
        }
    }

    public static InboxOptions OptionsOf(TableDestination table) =>
        new() { ConnectionString = table.ConnectionString, Lease = table.Lease };

    /// <summary>Loads a batch, or what is left of it.</summary>
    /// <param name="table">Where it goes.</param>
    /// <param name="ready">The batch.</param>
    /// <param name="deleted">Called where the batch turned out to be revoked, with the number of its records that were
    /// deleted.</param>
    /// <param name="cancellationToken">Stops it after the current chunk.</param>
    public async Task<RecordRunResult> LoadAsync(
        TableDestination table, BulkReadyData ready, Action<long> deleted, CancellationToken cancellationToken)
    {
        var loader = new TableLoader(table, ChunkAttempts, logger);
        var options = new RecordOptions
        {
            ChunkSize = table.ChunkSize,
            ChunkAttempts = ChunkAttempts,
            RetryTransient = table.RetryTransient,
        };
        try
        {
            return await RunnerOf(table).ApplyAsync(loader, ready, options, cancellationToken);
        }
        finally
        {
            if (loader.Deleted is { } count)
                deleted(count);
        }
    }

    /// <summary>Records that a batch is revoked.</summary>
    /// <returns>How many records were deleted; null where none are, or that was done already.</returns>
    public async Task<long?> DiscardAsync(
        TableDestination table, BatchId batchId, string dataset, string? reason, CancellationToken cancellationToken)
    {
        var loader = new TableLoader(table, ChunkAttempts, logger);
        await RunnerOf(table).DiscardAsync(loader, batchId, dataset, reason, cancellationToken);
        return loader.Deleted;
    }

    /// <summary>Sends the receipts of all inboxes, until it is told to stop.</summary>
    public Task SendReceiptsAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(runners.Values.Select(runner => runner.RunAsync(stoppingToken)));

    public async ValueTask DisposeAsync()
    {
        foreach (var runner in runners.Values)
            await runner.DisposeAsync();
    }

    private RecordRunner RunnerOf(TableDestination table) => runners[(table.ConnectionString, table.Lease)];
}
