namespace ClaimCheck.Adapter.Steps;

/// <summary>Loads a batch into a table, or what is left of it. Outcomes, checkpoints and receipts are the inbox's.</summary>
internal sealed partial class LoadStep(
    CheckedAdapterOptions options, TableInboxes tables, DeliveryOutcomes outcomes, ILogger<LoadStep> logger)
    : IDeliveryStep, IDisposable
{
    // For each database: an unreachable one delays its own batches only.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> slots = new(StringComparer.Ordinal);
    private readonly TimeProvider time = TimeProvider.System;

    public bool Takes(DeliveryDocument document, Route route) =>
        document.State == DeliveryState.Delivering && route.Destination is TableDestination;

    public async Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var table = (TableDestination)route.Destination;
        var slot = slots.GetOrAdd(table.ConnectionString, _ => new(options.Parallelism));
        await slot.WaitAsync(cancellationToken);
        try
        {
            if (await outcomes.ReadyBatchAsync(delivery, route, cancellationToken) is { } batch)
                await LoadAsync(delivery, route, table, batch, cancellationToken);
        }
        catch (ClaimCheckException e) when (DeliveryOutcomes.IsTerminal(e, delivery))
        {
            await outcomes.EndAsync(delivery, route, e);
        }
        finally
        {
            slot.Release();
        }

        return TimeSpan.Zero;
    }

    public void Dispose()
    {
        foreach (var slot in slots.Values)
            slot.Dispose();
    }

    /// <summary>What an event would have said. Its link is not needed, since the service mints others.</summary>
    public static BulkReadyData Ready(Batch batch) => new()
    {
        ExportId = batch.ExportId,
        BatchId = batch.BatchId,
        Dataset = batch.Dataset,
        SchemaVersion = batch.SchemaVersion,
        RetryOf = batch.RetryOf,
        ClaimUrl = batch.Links.Manifest ?? "",
        Records = batch.Records,
        Bytes = batch.Bytes,
        Files = batch.Files,
        Format = batch.Format,
        Compression = batch.Compression,
    };

    private async Task LoadAsync(
        Delivery delivery, Route route, TableDestination table, Batch batch, CancellationToken cancellationToken)
    {
        var loaded = await tables.LoadAsync(
            table, Ready(batch), count => delivery.Looks.RecordsDeleted = count, cancellationToken);
        if (loaded.IsRevoked)
        {
            await outcomes.RevokedAsync(delivery, null);
            return;
        }

        var records = new RecordOutcomes(loaded.Counts.Succeeded, loaded.Counts.Transient, loaded.Counts.Terminal);
        if (await delivery.ChangeAsync(
            each => each.Loaded(batch, records, each.IsToldOf(route), time.GetUtcNow()), CancellationToken.None))
            Log.Loaded(logger, delivery.Document.Id, route.Name, batch.BatchId, table, records.Succeeded, records.Transient,
                records.Terminal);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is complete: batch {BatchId} is in "
            + "{Destination}, {Succeeded} records; {Transient} failed transiently, {Terminal} terminally.")]
        public static partial void Loaded(
            ILogger logger, string deliveryId, string route, BatchId batchId, TableDestination destination, long succeeded,
            long transient, long terminal);
    }
}
