namespace ClaimCheck.Adapter.Steps;

/// <summary>
/// Requests the export from the service. The same delivery uses the same key, so that the service answers with the same export,
/// whatever happened to earlier answers.
/// </summary>
internal sealed partial class RequestStep(
    ClaimCheckClient client, DeliveryBook book, DeliveryOutcomes outcomes, ILogger<RequestStep> logger) : IDeliveryStep
{
    public bool Takes(DeliveryDocument document, Route route) => document.State == DeliveryState.Requested;

    /// <returns>Null where the service refused it, and a caller waits to be told that: the delivery is deleted.</returns>
    public async Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        try
        {
            var export = await client.CreateExportAsync(document.Request!, document.Id, cancellationToken: cancellationToken);
            delivery.Looks.Staging = export.Links.Staging;
            if (await delivery.ChangeAsync(each => each.Asked(export), CancellationToken.None))
                Log.Asked(logger, document.Id, document.Route, export.ExportId, export.BatchId);
            await outcomes.ObserveAsync(delivery, route, export);
        }
        catch (ClaimCheckException e) when (e is RequestRejectedException or NotFoundException)
        {
            var failure = new DeliveryFailure(e.Code, e.Message, (e as RequestRejectedException)?.Errors);
            if (delivery.TryRefuse(failure, () => book.Forget(delivery)))
            {
                Log.Refused(logger, document.Id, document.Route, failure.Code, failure.Detail);
                return null;
            }

            await outcomes.FailAsync(delivery, route, failure);
        }

        return TimeSpan.Zero;
    }

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Information, "Delivery {DeliveryId} of route {Route} is requested: export {ExportId}, batch {BatchId}.")]
        public static partial void Asked(ILogger logger, string deliveryId, string route, ExportId exportId, BatchId batchId);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is refused by the service, and its caller "
            + "is told so; nothing is kept. {Code}: {Detail}")]
        public static partial void Refused(ILogger logger, string deliveryId, string route, string code, string detail);
    }
}
