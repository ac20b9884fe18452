using ClaimCheck.Adapter.Locations;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>The end of a delivery whose batch has ended, or can't be delivered.</summary>
internal sealed partial class Endings(Asking asking, ILogger<Endings> logger)
{
    private const int MostTriesOfAlteredData = 10;
    private readonly TimeProvider time = TimeProvider.System;

    /// <summary>Whether trying again is useless.</summary>
    public static bool IsEnd(ClaimCheckException e, Delivery delivery) => e switch
    {
        BatchEndedException or NotFoundException => true,
        // Bytes that do not match their checksums may be corrected, but not by endless tries.
        IntegrityException => delivery.Looks.Failures >= MostTriesOfAlteredData,
        LocationException { Reason: LocationFailure.Altered } => delivery.Looks.Failures >= MostTriesOfAlteredData,
        LocationException { IsTransient: false } or DirectoryInUseException => true,
        // A key or a setting that the operator can fix.
        _ => false,
    };

    public async Task EndAsync(Delivery delivery, Route route, ClaimCheckException e)
    {
        switch (e)
        {
            case BatchRevokedException:
                await RevokedAsync(delivery, null);
                break;
            case ExportCancelledException:
                await CancelledAsync(delivery, route, null);
                break;
            case NotFoundException:
                await asking.FailAsync(delivery, route, new(e.Code, "The service does not know the batch any more."));
                break;
            default:
                if (e is not BatchEndedException)
                    Log.GivenUp(logger, e, delivery.Document.Id);
                await asking.FailAsync(delivery, route, new(e.Code, e.Message));
                break;
        }
    }

    /// <summary>A batch that was announced as ready is in another state by now.</summary>
    public async Task NotReadyAsync(Delivery delivery, Route route, Batch batch)
    {
        switch (batch.State)
        {
            case ExportState.Revoked:
                await RevokedAsync(delivery, batch.Reason);
                break;
            case ExportState.Expired or ExportState.Failed:
                await asking.FailAsync(delivery, route, new(ProblemCodes.BatchExpired, $"The batch is {batch.State}: there is nothing to deliver."));
                break;
            case ExportState.Cancelled:
                await CancelledAsync(delivery, route, batch.Reason);
                break;
            default:
                throw new BatchNotReadyException($"The batch is {batch.State}, although it was announced as ready.", batch.BatchId, null);
        }
    }

    public async Task RevokedAsync(Delivery delivery, string? reason)
    {
        if (await delivery.ChangeAsync(document => document.RevokedBySource(reason), CancellationToken.None))
            Log.Revoked(logger, delivery.Document.Id, delivery.Document.BatchId);
    }

    private Task CancelledAsync(Delivery delivery, Route route, string? reason) => delivery.ChangeAsync(
        document => document.CancelledElsewhere(reason, route.Tells(document), time.GetUtcNow()), CancellationToken.None);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId}: batch {BatchId} was revoked, and what was delivered of it will be removed.")]
        public static partial void Revoked(ILogger logger, string deliveryId, BatchId? batchId);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId} can't be delivered, and is given up.")]
        public static partial void GivenUp(ILogger logger, Exception exception, string deliveryId);
    }
}
