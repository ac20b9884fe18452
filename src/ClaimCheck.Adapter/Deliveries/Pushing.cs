using ClaimCheck.Adapter.Locations;
using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Adapter.Tables;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>Pushes batches to their destinations, and removes them there.</summary>
internal sealed partial class Pushing(
    AdapterSettings settings, ClaimCheckClient client, BatchPusher pusher, Destinations destinations, Loading loading, Endings endings, ILogger<Pushing> logger) : IDisposable
{
    private readonly SemaphoreSlim slots = new(settings.Parallelism);
    private readonly TimeProvider time = TimeProvider.System;

    /// <summary>Pushes the batch's files; files that are there already are not pushed again.</summary>
    public async Task<TimeSpan> PushAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        if (document.Folder is null)
        {
            // Stored before the first byte is pushed, so that pushed files can be found again.
            await ChooseFolderAsync(delivery, route, cancellationToken);
            return TimeSpan.Zero;
        }

        await slots.WaitAsync(cancellationToken);
        try
        {
            var batchId = document.BatchId!.Value;
            var pushed = await pusher.PushAsync(batchId, destinations.Of(route), document.Folder, cancellationToken);
            var batch = await client.GetBatchAsync(batchId, cancellationToken);
            if (await delivery.ChangeAsync(
                each => (each with { BatchExpiresAt = batch.ExpiresAt }).Delivered(
                    pushed.Manifest.Records, pushed.Manifest.Bytes, pushed.Files.Count, route.Tells(delivery.Document), time.GetUtcNow()),
                CancellationToken.None))
            {
                Log.Delivered(logger, document.Id, route.Name, batchId, pushed.Manifest.Records, destinations.Of(route).Name);
            }

            // It may have ended between the last byte and this answer.
            if (batch.State == ExportState.Revoked)
                await endings.RevokedAsync(delivery, batch.Reason);
        }
        catch (ClaimCheckException e) when (Endings.IsEnd(e, delivery))
        {
            await endings.EndAsync(delivery, route, e);
        }
        finally
        {
            slots.Release();
        }

        return TimeSpan.Zero;
    }

    /// <summary>Removes what is there of a batch that was revoked, or cancelled by its caller.</summary>
    public async Task<TimeSpan> RemoveAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        if (delivery.Document.State == DeliveryState.Cancelling && !await CancelAsync(delivery, cancellationToken))
            return TimeSpan.Zero;
        var document = delivery.Document;
        if (route.Destination is TableDestination)
            return await loading.DiscardAsync(delivery, route, cancellationToken);
        if (document.Folder is not null)
        {
            var note = new RemovalNote(document.State == DeliveryState.Cancelling ? ExportState.Cancelled : ExportState.Revoked, document.Reason, time.GetUtcNow());
            await pusher.RemoveAsync(destinations.Of(route), document.Folder, note, cancellationToken);
        }

        if (await delivery.ChangeAsync(each => each.Removed(route.Tells(delivery.Document), time.GetUtcNow()), CancellationToken.None))
            Log.Removed(logger, document.Id, route.Name, delivery.Document.State);
        return TimeSpan.Zero;
    }

    public void Dispose() => slots.Dispose();

    /// <returns>False where the export's id had to be determined first.</returns>
    private async Task<bool> CancelAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        if (document.Request is null)
            return true; // another client's export: it is only not delivered here
        try
        {
            if (document.ExportId is not { } exportId)
            {
                // It may have been requested just before the last process ended: the same key tells.
                var export = await client.CreateExportAsync(document.Request, document.Id, cancellationToken: cancellationToken);
                await delivery.ChangeAsync(each => each.Asked(export), CancellationToken.None);
                return false;
            }

            await client.CancelExportAsync(exportId, document.Reason, cancellationToken);
        }
        catch (ClaimCheckException e) when (e is NotFoundException or RequestRejectedException)
        {
            // There is nothing to cancel.
        }

        return true;
    }

    private async Task ChooseFolderAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var batch = await client.GetBatchAsync(delivery.Document.BatchId!.Value, cancellationToken);
        if (batch is not { State: ExportState.Ready, SnapshotAt: { } snapshotAt })
        {
            await endings.NotReadyAsync(delivery, route, batch);
            return;
        }

        var folder = ((LocationDestination)route.Destination).Folder.Render(batch.Dataset, batch.ExportId, batch.BatchId, snapshotAt);
        await delivery.ChangeAsync(
            each => each is { State: DeliveryState.Delivering, Folder: null } ? each with { Folder = folder, BatchExpiresAt = batch.ExpiresAt } : null, CancellationToken.None);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is complete: batch {BatchId} with {Records} records is at {Location}.")]
        public static partial void Delivered(ILogger logger, string deliveryId, string route, BatchId batchId, long records, string location);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is {State}: nothing of it is at the location.")]
        public static partial void Removed(ILogger logger, string deliveryId, string route, DeliveryState state);
    }
}
