namespace ClaimCheck.Adapter.Steps;

/// <summary>Looks for a batch's manifest in staging: through the link from the service's answer, or where the operator serves
/// it.</summary>
internal sealed partial class ManifestLook(
    CheckedAdapterOptions options, ServiceApi service, RouteLocations locations, ILogger<ManifestLook> logger)
{
    /// <summary>Whether there is a place to look at, beside the state of the export.</summary>
    public static bool HasPlace(Delivery delivery, Route route) => route.Events is null && route.Wait switch
    {
        WaitKind.Path => true,
        WaitKind.Staging => delivery.Looks.Staging is not null,
        _ => false,
    };

    public async Task<bool> IsThereAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        bool? isThere;
        if (route.Wait == WaitKind.Path)
        {
            var files = await locations.PlaceOf(route).ListAsync($"batches/{delivery.Document.BatchId}", cancellationToken);
            isThere = files.Any(file => file is { Name: "manifest.json", IsFolder: false });
        }
        else
        {
            isThere = await service.IsThereAsync(delivery.Looks.Staging!, cancellationToken);
        }

        if (isThere is null)
        {
            Log.LinkIsDead(logger, delivery.Document.Id);
            delivery.Looks.Staging = null;
            delivery.Looks.MayAskForStaging = false;
            delivery.Looks.NextStatusAt = TimeProvider.System.GetUtcNow() + PollInterval.Jittered(options.Polling.Interval);
        }
        else if (isThere.Value)
        {
            Log.Seen(logger, delivery.Document.Id, route.Wait);
        }

        return isThere == true;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} saw its manifest ({Wait}): the batch is ready.")]
        public static partial void Seen(ILogger logger, string deliveryId, WaitKind wait);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} can't see its place in staging (its link is refused), and "
            + "asks for the export's state instead.")]
        public static partial void LinkIsDead(ILogger logger, string deliveryId);
    }
}
