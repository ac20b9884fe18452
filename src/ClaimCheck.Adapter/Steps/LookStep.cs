namespace ClaimCheck.Adapter.Steps;

/// <summary>Looks for the batch where the route looks, and asks for the export's state as often as needed.</summary>
internal sealed class LookStep(
    CheckedAdapterOptions options, ClaimCheckClient client, ServiceApi service, ManifestLook manifest, DeliveryOutcomes outcomes)
    : IDeliveryStep
{
    private readonly TimeProvider time = TimeProvider.System;

    public bool Takes(DeliveryDocument document, Route route) => document.State == DeliveryState.Waiting;

    public async Task<TimeSpan?> RunAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var (looks, now) = (delivery.Looks, time.GetUtcNow());
        if (now >= (looks.NextStatusAt ??= FirstStatusAt(delivery, route, now)))
        {
            var wasFailing = looks.IsLookFailing;
            looks.IsLookFailing = false;
            if (await AskForStateAsync(delivery, route, cancellationToken))
                return TimeSpan.Zero;
            looks.IsLookFailing = wasFailing;
        }
        else if (ManifestLook.HasPlace(delivery, route) && now >= looks.NextLookAt)
        {
            looks.IsLookFailing = true;
            var isThere = await manifest.IsThereAsync(delivery, route, cancellationToken);
            looks.IsLookFailing = false;
            if (isThere)
            {
                await delivery.ChangeAsync(document => document.Ready(), CancellationToken.None);
                return TimeSpan.Zero;
            }

            looks.NextLookAt = time.GetUtcNow() + NextLook(looks);
        }

        var next = ManifestLook.HasPlace(delivery, route) && looks.NextLookAt < looks.NextStatusAt
            ? looks.NextLookAt
            : looks.NextStatusAt.Value;
        return next - time.GetUtcNow() is var pause && pause > TimeSpan.Zero ? pause : TimeSpan.FromMilliseconds(1);
    }

    // An event that came before the export's id was stored could not be matched with this delivery, and one that came to an
    // earlier process is lost: the state is asked for once in any case.
    private DateTimeOffset FirstStatusAt(Delivery delivery, Route route, DateTimeOffset now)
    {
        var polling = options.Polling;
        delivery.Looks.NextLookAt = now + PollInterval.Jittered(polling.Interval / 2);
        return delivery.IsNew && route.Events is null
            ? now + (ManifestLook.HasPlace(delivery, route) ? polling.StatusInterval : polling.Interval / 2)
            : now;
    }

    private async Task<bool> AskForStateAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var (looks, document) = (delivery.Looks, delivery.Document);
        Export export;
        TimeSpan? retryAfter = null;
        try
        {
            if (route.Wait == WaitKind.Staging && looks is { Staging: null, MayAskForStaging: true }
                && document.Request is not null)
            {
                // The link is a secret, and was not stored: the same request returns the same export, with a new link.
                looks.MayAskForStaging = false;
                export = await client.CreateExportAsync(document.Request, document.Id, cancellationToken: cancellationToken);
                looks.Staging = export.Links.Staging;
            }
            else
            {
                (export, retryAfter) = await service.GetExportAsync(document.ExportId!.Value, cancellationToken);
            }
        }
        catch (NotFoundException e)
        {
            return await outcomes.FailAsync(delivery, route, new(e.Code, "The service does not know the export."));
        }

        if (await outcomes.ObserveAsync(delivery, route, export))
            return true;
        var pause = route.Events is not null || ManifestLook.HasPlace(delivery, route)
            ? PollInterval.Jittered(options.Polling.StatusInterval)
            : NextLook(looks);
        looks.NextStatusAt = time.GetUtcNow() + (retryAfter > pause ? PollInterval.Jittered(retryAfter.Value) : pause);
        return false;
    }

    private TimeSpan NextLook(Looks looks) =>
        PollInterval.After(++looks.Count, options.Polling.Interval, options.Polling.LongestInterval);
}
