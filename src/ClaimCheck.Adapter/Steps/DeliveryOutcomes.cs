namespace ClaimCheck.Adapter.Steps;

/// <summary>What the service says of a delivery's export and batch, and the outcome for the delivery.</summary>
internal sealed partial class DeliveryOutcomes(ClaimCheckClient client, ILogger<DeliveryOutcomes> logger)
{
    private const int MostTriesOfAlteredData = 10;
    private readonly TimeProvider time = TimeProvider.System;

    /// <summary>Whether a failure is terminal for the delivery: trying again is useless.</summary>
    public static bool IsTerminal(ClaimCheckException e, Delivery delivery) => e switch
    {
        BatchEndedException or NotFoundException => true,
        // Bytes that do not match their checksums may be corrected, but not by endless tries.
        IntegrityException => delivery.Looks.Failures >= MostTriesOfAlteredData,
        LocationException { Reason: LocationFailure.Altered } => delivery.Looks.Failures >= MostTriesOfAlteredData,
        LocationException { IsTransient: false } or DirectoryInUseException => true,
        // A key or an option that the operator can fix.
        _ => false,
    };

    /// <summary>The delivery's batch, as the service shows it now.</summary>
    public Task<Batch> BatchAsync(Delivery delivery, CancellationToken cancellationToken) =>
        client.GetBatchAsync(delivery.Document.BatchId!.Value, cancellationToken);

    /// <summary>The same, where it is ready; else its state is applied to the delivery.</summary>
    public async Task<Batch?> ReadyBatchAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var batch = await BatchAsync(delivery, cancellationToken);
        if (batch.State == ExportState.Ready)
            return batch;
        await NotReadyAsync(delivery, route, batch);
        return null;
    }

    /// <summary>Applies what the service says of an export.</summary>
    /// <returns>Whether that changed anything.</returns>
    public async Task<bool> ObserveAsync(Delivery delivery, Route route, Export export) => export.State switch
    {
        ExportState.Ready => await delivery.ChangeAsync(document => document.Ready(), CancellationToken.None),
        ExportState.Revoked => await delivery.ChangeAsync(document => document.RevokedBySource(null), CancellationToken.None),
        ExportState.Cancelled => await CancelledAsync(delivery, route, null),
        ExportState.Failed => await FailAsync(delivery, route, new(
            export.Failure?.Code ?? ProblemCodes.ExportFailed, export.Failure?.Detail ?? "The export failed.")),
        ExportState.Expired => await FailAsync(
            delivery, route, new(ProblemCodes.BatchExpired, "The batch's retention was over before it was delivered.")),
        _ => false,
    };

    /// <summary>Ends a delivery with a terminal failure.</summary>
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
                await FailAsync(delivery, route, new(e.Code, "The service does not know the batch."));
                break;
            default:
                if (e is not BatchEndedException)
                    Log.GivenUp(logger, e, delivery.Document.Id);
                await FailAsync(delivery, route, new(e.Code, e.Message));
                break;
        }
    }

    public async Task<bool> FailAsync(Delivery delivery, Route route, DeliveryFailure failure)
    {
        var hasFailed = await delivery.ChangeAsync(
            document => document.Failed(failure, document.IsToldOf(route), time.GetUtcNow()), CancellationToken.None);
        if (hasFailed)
            Log.Failed(logger, delivery.Document.Id, route.Name, failure.Code, failure.Detail);
        return hasFailed;
    }

    public async Task RevokedAsync(Delivery delivery, string? reason)
    {
        if (await delivery.ChangeAsync(document => document.RevokedBySource(reason), CancellationToken.None))
            Log.Revoked(logger, delivery.Document.Id, delivery.Document.BatchId);
    }

    public Task<bool> CancelledAsync(Delivery delivery, Route route, string? reason) => delivery.ChangeAsync(
        document => document.CancelledElsewhere(reason, document.IsToldOf(route), time.GetUtcNow()), CancellationToken.None);

    // A batch that was announced as ready is in another state by now.
    private async Task NotReadyAsync(Delivery delivery, Route route, Batch batch)
    {
        switch (batch.State)
        {
            case ExportState.Revoked:
                await RevokedAsync(delivery, batch.Reason);
                break;
            case ExportState.Expired or ExportState.Failed:
                await FailAsync(
                    delivery, route, new(ProblemCodes.BatchExpired, $"The batch is {batch.State} and can't be delivered."));
                break;
            case ExportState.Cancelled:
                await CancelledAsync(delivery, route, batch.Reason);
                break;
            default:
                throw new BatchNotReadyException(
                    $"The batch is {batch.State}, although it was announced as ready.", batch.BatchId, null);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId} of route {Route} failed ({Code}): {Detail}")]
        public static partial void Failed(ILogger logger, string deliveryId, string route, string code, string detail);

        [LoggerMessage(LogLevel.Information,
            "Delivery {DeliveryId}: batch {BatchId} was revoked, and what was delivered of it will be removed.")]
        public static partial void Revoked(ILogger logger, string deliveryId, BatchId? batchId);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId} can't be delivered, and is given up.")]
        public static partial void GivenUp(ILogger logger, Exception exception, string deliveryId);
    }
}
