using System.Collections.Concurrent;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Adapter.Tables;
using ClaimCheck.Consumer;
using ClaimCheck.Consumer.Handling;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// Loads batches into tables, with the client library's record handling: outcomes, checkpoints and receipts are the inbox's.
/// </summary>
internal sealed partial class Loading(
    AdapterSettings settings, ClaimCheckClient client, TableDestinations tables, Endings endings, ILogger<Loading> logger) : IDisposable
{
    // For each database: an unreachable one delays its own batches only.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> slots = new(StringComparer.Ordinal);
    private readonly TimeProvider time = TimeProvider.System;

    /// <summary>Loads the batch, or what is left of it.</summary>
    public async Task<TimeSpan> LoadAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        var slot = slots.GetOrAdd(((TableDestination)route.Destination).ConnectionString, _ => new(settings.Parallelism));
        await slot.WaitAsync(cancellationToken);
        try
        {
            var batch = await client.GetBatchAsync(document.BatchId!.Value, cancellationToken);
            if (batch.State != ExportState.Ready)
            {
                await endings.NotReadyAsync(delivery, route, batch);
                return TimeSpan.Zero;
            }

            var loaded = await tables.LoadAsync(route, Ready(batch), count => delivery.Looks.RecordsDeleted = count, cancellationToken);
            if (loaded.IsRevoked)
            {
                await endings.RevokedAsync(delivery, null);
                return TimeSpan.Zero;
            }

            var outcomes = new RecordOutcomes(loaded.Counts.Succeeded, loaded.Counts.Transient, loaded.Counts.Terminal);
            if (await delivery.ChangeAsync(each => each.Loaded(batch, outcomes, route.Tells(each), time.GetUtcNow()), CancellationToken.None))
                Log.Loaded(logger, document.Id, route.Name, batch.BatchId, route.Destination, outcomes.Succeeded, outcomes.Transient, outcomes.Terminal);
        }
        catch (ClaimCheckException e) when (Endings.IsEnd(e, delivery))
        {
            await endings.EndAsync(delivery, route, e);
        }
        finally
        {
            slot.Release();
        }

        return TimeSpan.Zero;
    }

    /// <summary>
    /// Records in the inbox that the batch is revoked, and deletes its records from the table where the route says so.
    /// </summary>
    public async Task<TimeSpan> DiscardAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        if (document.BatchId is { } batchId && await tables.DiscardAsync(route, batchId, document.Dataset, document.Reason, cancellationToken) is { } count)
            delivery.Looks.RecordsDeleted = count;
        var deleted = delivery.Looks.RecordsDeleted;
        if (await delivery.ChangeAsync(each => each.Unloaded(deleted, route.Tells(each), time.GetUtcNow()), CancellationToken.None))
            Log.Discarded(logger, document.Id, route.Name, delivery.Document.State, route.Destination, deleted);
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

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is complete: batch {BatchId} is in {Destination}, {Succeeded} records; {Transient} failed transiently, {Terminal} terminally.")]
        public static partial void Loaded(
            ILogger logger, string deliveryId, string route, BatchId batchId, Routes.Destination destination, long succeeded, long transient, long terminal);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is {State}: records deleted from {Destination}: {Deleted}.")]
        public static partial void Discarded(ILogger logger, string deliveryId, string route, DeliveryState state, Routes.Destination destination, long? deleted);
    }
}
