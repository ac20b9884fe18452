namespace ClaimCheck.Adapter.Steps;

/// <summary>Removes what is there of a batch that was revoked, or cancelled by its caller; a cancellation goes to the
/// service first.</summary>
internal sealed partial class RemoveStep(
    ClaimCheckClient client, BatchPusher pusher, RouteLocations locations, TableInboxes tables, ILogger<RemoveStep> logger)
    : IDeliveryStep
{
    private readonly TimeProvider time = TimeProvider.System;

    public bool Takes(DeliveryDocument document, Route route) =>
        document.State is DeliveryState.Cancelling or DeliveryState.Revoking;

    public async Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        if (delivery.Document.State == DeliveryState.Cancelling && !await CancelAsync(delivery, cancellationToken))
            return TimeSpan.Zero;
        if (route.Destination is TableDestination table)
            await DiscardAsync(delivery, route, table, cancellationToken);
        else
            await RemoveAsync(delivery, route, cancellationToken);
        return TimeSpan.Zero;
    }

    private async Task RemoveAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        if (document.Folder is not null)
        {
            var note = new RemovalNote(document.State == DeliveryState.Cancelling ? ExportState.Cancelled : ExportState.Revoked,
                document.Reason, time.GetUtcNow());
            await pusher.RemoveAsync(locations.Of(route), document.Folder, note, cancellationToken);
        }

        if (await delivery.ChangeAsync(each => each.Removed(each.IsToldOf(route), time.GetUtcNow()), CancellationToken.None))
            Log.Removed(logger, document.Id, route.Name, delivery.Document.State);
    }

    // The inbox records that the batch is revoked, and its records are deleted from the table where the route says so.
    private async Task DiscardAsync(Delivery delivery, Route route, TableDestination table, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        if (document.BatchId is { } batchId
            && await tables.DiscardAsync(table, batchId, document.Dataset, document.Reason, cancellationToken) is { } count)
            delivery.Looks.RecordsDeleted = count;
        var deleted = delivery.Looks.RecordsDeleted;
        if (await delivery.ChangeAsync(
            each => each.Unloaded(deleted, each.IsToldOf(route), time.GetUtcNow()), CancellationToken.None))
            Log.Discarded(logger, document.Id, route.Name, delivery.Document.State, table, deleted);
    }

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

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Information, "Delivery {DeliveryId} of route {Route} is {State}: nothing of it is at the location.")]
        public static partial void Removed(ILogger logger, string deliveryId, string route, DeliveryState state);

        [LoggerMessage(LogLevel.Information,
            "Delivery {DeliveryId} of route {Route} is {State}: records deleted from {Destination}: {Deleted}.")]
        public static partial void Discarded(
            ILogger logger, string deliveryId, string route, DeliveryState state, TableDestination destination, long? deleted);
    }
}
