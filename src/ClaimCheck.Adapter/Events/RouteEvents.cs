using ClaimCheck.Adapter.Steps;

namespace ClaimCheck.Adapter.Events;

/// <summary>
/// Passes events to the deliveries of their batches. Changes are stored before the events are acknowledged; nothing is fetched
/// here.
/// </summary>
internal sealed partial class RouteEvents(
    CheckedAdapterOptions options, DeliveryBook book, RetryDeliveries retries, DeliveryOutcomes outcomes,
    ILogger<RouteEvents> logger) : IBatchHandler
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public async Task HandleAsync(BatchContext batch, CancellationToken cancellationToken)
    {
        var ready = batch.Ready;
        foreach (var delivery in book.OfBatch(batch.BatchId))
            await delivery.ChangeAsync(document => document.Ready(), cancellationToken);
        if (ready.RetryOf is { } failed)
        {
            // A retry of a batch, for the consumer that failed on it: where this adapter did not request it,
            // somebody did in its name.
            foreach (var delivery in await retries.BeginAsync(failed, ready.ExportId, ready.BatchId, cancellationToken))
                await delivery.ChangeAsync(document => document.Ready(), cancellationToken);
            return;
        }

        foreach (var route in options.Routes.Where(route => route.AcceptsAny && route.Dataset == ready.Dataset))
            await TakeAsync(route, ready, cancellationToken);
    }

    public async Task OnRevokedAsync(BulkRevokedData revoked, CancellationToken cancellationToken)
    {
        foreach (var delivery in book.OfBatch(revoked.BatchId))
            await outcomes.RevokedAsync(delivery, revoked.Reason);
    }

    public async Task OnCancelledAsync(BulkCancelledData cancelled, CancellationToken cancellationToken)
    {
        foreach (var (delivery, route) in Concerned(cancelled.BatchId))
            await outcomes.CancelledAsync(delivery, route, cancelled.Reason);
    }

    public async Task OnFailedAsync(BulkFailedData failed, CancellationToken cancellationToken)
    {
        foreach (var (delivery, route) in Concerned(failed.BatchId))
            await outcomes.FailAsync(delivery, route, new(failed.Failure.Code, failed.Failure.Detail));
    }

    private IEnumerable<(Delivery Delivery, Route Route)> Concerned(BatchId batchId) =>
        from delivery in book.OfBatch(batchId)
        let route = options.Find(delivery.Document.Route)
        where route is not null
        select (delivery, route);

    private async Task TakeAsync(Route route, BulkReadyData ready, CancellationToken cancellationToken)
    {
        // The answer to a request of the route's own may still be under way: the batch may be the requested one.
        foreach (var asked in book.OfRoute(route.Name).Where(each => each.Document.State == DeliveryState.Requested))
        {
            if (!await asked.LeavesAsync(DeliveryState.Requested, Patience, cancellationToken))
                throw new ServiceUnavailableException("request_under_way",
                    "Whether the batch was asked for by the adapter itself is not known yet.", ready.BatchId);
        }

        var own = book.OfBatch(ready.BatchId).FirstOrDefault(each => each.Document.Route == route.Name);
        if (own is not null)
        {
            await own.ChangeAsync(document => document.Ready(), cancellationToken);
            return;
        }

        var (delivery, isNew) = await book.BeginAsync(route, ready, cancellationToken);
        if (isNew)
            Log.Taken(logger, delivery.Document.Id, route.Name, ready.BatchId);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "Delivery {DeliveryId} of route {Route}: batch {BatchId}, which another client requested, is accepted.")]
        public static partial void Taken(ILogger logger, string deliveryId, string route, BatchId batchId);
    }
}
