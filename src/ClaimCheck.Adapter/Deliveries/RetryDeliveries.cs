namespace ClaimCheck.Adapter.Deliveries;

/// <summary>Begins deliveries of a batch's transient failures, which the service exports again for its table.</summary>
internal sealed partial class RetryDeliveries(CheckedAdapterOptions options, DeliveryBook book, ILogger<RetryDeliveries> logger)
{
    /// <returns>One for each delivery of the batch into a table, new or existing.</returns>
    public async Task<IReadOnlyList<Delivery>> BeginAsync(
        BatchId failed, ExportId exportId, BatchId batchId, CancellationToken cancellationToken)
    {
        var begun = new List<Delivery>();
        foreach (var original in book.OfBatch(failed).ToList())
        {
            if (options.Find(original.Document.Route) is not { Destination: TableDestination } route)
                continue;
            var (delivery, isNew) = await book.BeginRetryAsync(route, failed, exportId, batchId, cancellationToken);
            if (isNew)
                Log.Retrying(logger, delivery.Document.Id, route.Name, batchId, failed);
            begun.Add(delivery);
        }

        return begun;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "Delivery {DeliveryId} of route {Route} waits for batch {BatchId}, the transient failures of batch {Failed}.")]
        public static partial void Retrying(ILogger logger, string deliveryId, string route, BatchId batchId, BatchId failed);
    }
}
