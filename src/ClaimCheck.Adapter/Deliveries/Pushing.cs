using ClaimCheck.Adapter.Locations;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>Puts batches where they go, and takes them away from there.</summary>
internal sealed partial class Pushing(
    AdapterSettings settings, ClaimCheckClient client, BatchPusher pusher, Destinations destinations, Asking asking, ILogger<Pushing> logger) : IDisposable
{
    private const int MostTriesOfAlteredData = 10;
    private readonly SemaphoreSlim slots = new(settings.Parallelism);
    private readonly TimeProvider time = TimeProvider.System;

    /// <summary>Pushes the batch's files; what is there already is not pushed again.</summary>
    public async Task<TimeSpan> PushAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        if (document.Folder is null)
        {
            // Written down before the first byte goes there: what is pushed can be found again.
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
                    pushed.Manifest.Records, pushed.Manifest.Bytes, pushed.Files.Count, route.Notify is not null, time.GetUtcNow()),
                CancellationToken.None))
            {
                Log.Delivered(logger, document.Id, route.Name, batchId, pushed.Manifest.Records, destinations.Of(route).Name);
            }

            // It may have ended between the last byte and this answer.
            if (batch.State == ExportState.Revoked)
                await RevokedAsync(delivery, batch.Reason);
        }
        catch (BatchEndedException e)
        {
            await EndedAsync(delivery, route, e);
        }
        catch (NotFoundException e)
        {
            await asking.FailAsync(delivery, route, new(e.Code, "The service knows nothing of the batch any more."));
        }
        catch (ClaimCheckException e) when (IsHopeless(e, delivery))
        {
            Log.GivenUp(logger, e, document.Id);
            await asking.FailAsync(delivery, route, new(e.Code, e.Message));
        }
        finally
        {
            slots.Release();
        }

        return TimeSpan.Zero;
    }

    /// <summary>Takes away what is there of a batch that was revoked, or that nobody wants any more.</summary>
    public async Task<TimeSpan> RemoveAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        if (delivery.Document.State == DeliveryState.Cancelling && !await CancelAsync(delivery, cancellationToken))
            return TimeSpan.Zero;
        var document = delivery.Document;
        if (document.Folder is not null)
        {
            var note = new RemovalNote(document.State == DeliveryState.Cancelling ? ExportState.Cancelled : ExportState.Revoked, document.Reason, time.GetUtcNow());
            await pusher.RemoveAsync(destinations.Of(route), document.Folder, note, cancellationToken);
        }

        if (await delivery.ChangeAsync(each => each.Removed(route.Notify is not null, time.GetUtcNow()), CancellationToken.None))
            Log.Removed(logger, document.Id, route.Name, delivery.Document.State);
        return TimeSpan.Zero;
    }

    public async Task RevokedAsync(Delivery delivery, string? reason)
    {
        if (await delivery.ChangeAsync(document => document.RevokedBySource(reason), CancellationToken.None))
            Log.Revoked(logger, delivery.Document.Id, delivery.Document.BatchId);
    }

    public void Dispose() => slots.Dispose();

    /// <returns>False where the export's id had to be found out first.</returns>
    private async Task<bool> CancelAsync(Delivery delivery, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        if (document.Request is null)
            return true; // somebody else's export: it is only not delivered here
        try
        {
            if (document.ExportId is not { } exportId)
            {
                // It may have been asked for just before the last process ended: the same key tells.
                var export = await client.CreateExportAsync(document.Request, document.Id, cancellationToken: cancellationToken);
                await delivery.ChangeAsync(each => each.Asked(export), CancellationToken.None);
                return false;
            }

            await client.CancelExportAsync(exportId, document.Reason, cancellationToken);
        }
        catch (ClaimCheckException e) when (e is NotFoundException or RequestRejectedException)
        {
            // There is nothing to be cancelled.
        }

        return true;
    }

    private async Task ChooseFolderAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var batch = await client.GetBatchAsync(delivery.Document.BatchId!.Value, cancellationToken);
        switch (batch.State)
        {
            case ExportState.Ready when batch.SnapshotAt is { } snapshotAt:
                var folder = route.Destination.Folder.Render(batch.Dataset, batch.ExportId, batch.BatchId, snapshotAt);
                await delivery.ChangeAsync(
                    each => each is { State: DeliveryState.Delivering, Folder: null } ? each with { Folder = folder, BatchExpiresAt = batch.ExpiresAt } : null, CancellationToken.None);
                break;
            case ExportState.Revoked:
                await RevokedAsync(delivery, batch.Reason);
                break;
            case ExportState.Expired or ExportState.Failed:
                await asking.FailAsync(delivery, route, new(ProblemCodes.BatchExpired, $"The batch is {batch.State}: there is nothing to be delivered."));
                break;
            case ExportState.Cancelled:
                await delivery.ChangeAsync(document => document.CancelledElsewhere(batch.Reason, route.Notify is not null, time.GetUtcNow()), CancellationToken.None);
                break;
            default:
                throw new BatchNotReadyException($"The batch is {batch.State}, though it was said to be ready.", batch.BatchId, null);
        }
    }

    private async Task EndedAsync(Delivery delivery, Route route, BatchEndedException e)
    {
        switch (e)
        {
            case BatchRevokedException:
                await RevokedAsync(delivery, null);
                break;
            case ExportCancelledException:
                await delivery.ChangeAsync(document => document.CancelledElsewhere(null, route.Notify is not null, time.GetUtcNow()), CancellationToken.None);
                break;
            default:
                await asking.FailAsync(delivery, route, new(e.Code, e.Message));
                break;
        }
    }

    private static bool IsHopeless(ClaimCheckException e, Delivery delivery) => e switch
    {
        // Bytes that do not fit their checksums may be mended, but not by asking for ever.
        IntegrityException => delivery.Looks.Failures >= MostTriesOfAlteredData,
        LocationException { IsTransient: false } or DirectoryInUseException => true,
        // A key or a setting that the operator can mend.
        _ => false,
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is complete: batch {BatchId} with {Records} records is at {Location}.")]
        public static partial void Delivered(ILogger logger, string deliveryId, string route, BatchId batchId, long records, string location);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId}: batch {BatchId} was revoked, and what was pushed of it is to be removed.")]
        public static partial void Revoked(ILogger logger, string deliveryId, BatchId? batchId);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is {State}: nothing of it is at the location.")]
        public static partial void Removed(ILogger logger, string deliveryId, string route, DeliveryState state);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId} can't be pushed, and is given up.")]
        public static partial void GivenUp(ILogger logger, Exception exception, string deliveryId);
    }
}
