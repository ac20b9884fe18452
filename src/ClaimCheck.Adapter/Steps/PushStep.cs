namespace ClaimCheck.Adapter.Steps;

/// <summary>Pushes the batch's files to a location; files that are there already are not pushed again.</summary>
internal sealed partial class PushStep(
    CheckedAdapterOptions options, BatchPusher pusher, RouteLocations locations, DeliveryOutcomes outcomes,
    ILogger<PushStep> logger) : IDeliveryStep, IDisposable
{
    private readonly SemaphoreSlim slots = new(options.Parallelism);
    private readonly TimeProvider time = TimeProvider.System;

    public bool Takes(DeliveryDocument document, Route route) =>
        document.State == DeliveryState.Delivering && route.Destination is LocationDestination;

    public async Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
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
            var pushed = await pusher.PushAsync(batchId, locations.Of(route), document.Folder, cancellationToken);
            var batch = await outcomes.BatchAsync(delivery, cancellationToken);
            if (await delivery.ChangeAsync(
                each => (each with { BatchExpiresAt = batch.ExpiresAt }).Delivered(
                    pushed.Manifest.Records, pushed.Manifest.Bytes, pushed.Files.Count, each.IsToldOf(route), time.GetUtcNow()),
                CancellationToken.None))
            {
                Log.Delivered(logger, document.Id, route.Name, batchId, pushed.Manifest.Records, locations.Of(route).Name);
            }

            // It may have ended between the last byte and this answer.
            if (batch.State == ExportState.Revoked)
                await outcomes.RevokedAsync(delivery, batch.Reason);
        }
        catch (ClaimCheckException e) when (DeliveryOutcomes.IsTerminal(e, delivery))
        {
            await outcomes.EndAsync(delivery, route, e);
        }
        finally
        {
            slots.Release();
        }

        return TimeSpan.Zero;
    }

    public void Dispose() => slots.Dispose();

    private async Task ChooseFolderAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        if (await outcomes.ReadyBatchAsync(delivery, route, cancellationToken) is not { } batch)
            return;
        var snapshotAt = batch.SnapshotAt ?? throw new BatchNotReadyException(
            "The batch is ready, but the time of its snapshot is not known.", batch.BatchId, null);
        var folder = ((LocationDestination)route.Destination).Folder.Render(
            batch.Dataset, batch.ExportId, batch.BatchId, snapshotAt);
        await delivery.ChangeAsync(
            each => each is { State: DeliveryState.Delivering, Folder: null }
                ? each with { Folder = folder, BatchExpiresAt = batch.ExpiresAt }
                : null,
            CancellationToken.None);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "Delivery {DeliveryId} of route {Route} is complete: batch {BatchId} with {Records} records is at {Location}.")]
        public static partial void Delivered(
            ILogger logger, string deliveryId, string route, BatchId batchId, long records, string location);
    }
}
