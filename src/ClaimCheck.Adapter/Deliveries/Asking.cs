using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Service;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>Requests exports from the service, and finds out their outcome.</summary>
internal sealed partial class Asking(
    AdapterSettings settings, ClaimCheckClient client, ServiceApi service, Destinations destinations, DeliveryBook book, ILogger<Asking> logger)
{
    private readonly TimeProvider time = TimeProvider.System;

    /// <summary>
    /// Requests the export. The same delivery uses the same key, so that the service answers with the same export, whatever
    /// happened to earlier answers.
    /// </summary>
    /// <returns>Null where the service refused it, and a caller waits to be told that: the delivery is deleted.</returns>
    public async Task<TimeSpan?> RequestAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var document = delivery.Document;
        try
        {
            var export = await client.CreateExportAsync(document.Request!, document.Id, cancellationToken: cancellationToken);
            delivery.Looks.Staging = export.Links.Staging;
            if (await delivery.ChangeAsync(each => each.Asked(export), CancellationToken.None))
                Log.Asked(logger, document.Id, document.Route, export.ExportId, export.BatchId);
            await ObserveAsync(delivery, route, export);
        }
        catch (ClaimCheckException e) when (e is RequestRejectedException or NotFoundException)
        {
            var failure = new DeliveryFailure(e.Code, e.Message, (e as RequestRejectedException)?.Errors);
            if (delivery.TryRefuse(failure, () => book.Forget(delivery)))
            {
                Log.Refused(logger, document.Id, document.Route, failure.Code, failure.Detail);
                return null;
            }

            await FailAsync(delivery, route, failure);
        }

        return TimeSpan.Zero;
    }

    /// <summary>Looks for the batch where the route looks, and asks for the export's state as often as needed.</summary>
    /// <returns>The delay before the next look.</returns>
    public async Task<TimeSpan> LookAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
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
        else if (LooksElsewhere(delivery, route) && now >= looks.NextLookAt)
        {
            looks.IsLookFailing = true;
            var isThere = await IsThereAsync(delivery, route, cancellationToken);
            looks.IsLookFailing = false;
            if (isThere)
            {
                Log.Seen(logger, delivery.Document.Id, route.Wait);
                await delivery.ChangeAsync(document => document.Ready(), CancellationToken.None);
                return TimeSpan.Zero;
            }

            looks.NextLookAt = time.GetUtcNow() + NextLook(looks);
        }

        var next = LooksElsewhere(delivery, route) && looks.NextLookAt < looks.NextStatusAt ? looks.NextLookAt : looks.NextStatusAt.Value;
        return next - time.GetUtcNow() is var pause && pause > TimeSpan.Zero ? pause : TimeSpan.FromMilliseconds(1);
    }

    /// <summary>Applies what the service says of an export.</summary>
    /// <returns>Whether that changed anything.</returns>
    public async Task<bool> ObserveAsync(Delivery delivery, Route route, Export export) => export.State switch
    {
        ExportState.Ready => await delivery.ChangeAsync(document => document.Ready(), CancellationToken.None),
        ExportState.Revoked => await delivery.ChangeAsync(document => document.RevokedBySource(null), CancellationToken.None),
        ExportState.Cancelled => await delivery.ChangeAsync(
            document => document.CancelledElsewhere(null, route.Tells(delivery.Document), time.GetUtcNow()), CancellationToken.None),
        ExportState.Failed => await FailAsync(delivery, route, new(export.Failure?.Code ?? ProblemCodes.ExportFailed, export.Failure?.Detail ?? "The export failed.")),
        ExportState.Expired => await FailAsync(delivery, route, new(ProblemCodes.BatchExpired, "The batch's retention was over before it was delivered.")),
        _ => false,
    };

    public async Task<bool> FailAsync(Delivery delivery, Route route, DeliveryFailure failure)
    {
        var hasFailed = await delivery.ChangeAsync(
            document => document.Failed(failure, route.Tells(delivery.Document), time.GetUtcNow()), CancellationToken.None);
        if (hasFailed)
            Log.Failed(logger, delivery.Document.Id, route.Name, failure.Code, failure.Detail);
        return hasFailed;
    }

    // An event that came before the export's id was stored could not be matched with this delivery, and one that came to an
    // earlier process is lost: the state is asked for once in any case.
    private DateTimeOffset FirstStatusAt(Delivery delivery, Route route, DateTimeOffset now)
    {
        delivery.Looks.NextLookAt = now + Pause.Jittered(settings.Polling.Interval / 2);
        return delivery.IsNew && route.Events is null ? now + (LooksElsewhere(delivery, route) ? settings.Polling.StatusInterval : settings.Polling.Interval / 2) : now;
    }

    private async Task<bool> AskForStateAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        var (looks, document) = (delivery.Looks, delivery.Document);
        Export export;
        TimeSpan? retryAfter = null;
        try
        {
            if (route.Wait == WaitKind.Staging && looks is { Staging: null, MayAskForStaging: true } && document.Request is not null)
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
            return await FailAsync(delivery, route, new(e.Code, "The service does not know the export any more."));
        }

        if (await ObserveAsync(delivery, route, export))
            return true;
        var pause = route.Events is not null || LooksElsewhere(delivery, route) ? Pause.Jittered(settings.Polling.StatusInterval) : NextLook(looks);
        looks.NextStatusAt = time.GetUtcNow() + (retryAfter > pause ? Pause.Jittered(retryAfter.Value) : pause);
        return false;
    }

    private static bool LooksElsewhere(Delivery delivery, Route route) => route.Events is null && route.Wait switch
    {
        WaitKind.Path => true,
        WaitKind.Staging => delivery.Looks.Staging is not null,
        _ => false,
    };

    private async Task<bool> IsThereAsync(Delivery delivery, Route route, CancellationToken cancellationToken)
    {
        if (route.Wait == WaitKind.Path)
        {
            var files = await destinations.PlaceOf(route).ListAsync($"batches/{delivery.Document.BatchId}", cancellationToken);
            return files.Any(file => file is { Name: "manifest.json", IsFolder: false });
        }

        var isThere = await service.IsThereAsync(delivery.Looks.Staging!, cancellationToken);
        if (isThere is null)
        {
            Log.LinkIsDead(logger, delivery.Document.Id);
            delivery.Looks.Staging = null;
            delivery.Looks.MayAskForStaging = false;
            delivery.Looks.NextStatusAt = time.GetUtcNow() + Pause.Jittered(settings.Polling.Interval);
        }

        return isThere == true;
    }

    private TimeSpan NextLook(Looks looks) => Pause.After(++looks.Count, settings.Polling.Interval, settings.Polling.LongestInterval, factor: 1.5);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is requested: export {ExportId}, batch {BatchId}.")]
        public static partial void Asked(ILogger logger, string deliveryId, string route, ExportId exportId, BatchId batchId);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} of route {Route} is refused by the service, and its caller is told so; nothing is kept. {Code}: {Detail}")]
        public static partial void Refused(ILogger logger, string deliveryId, string route, string code, string detail);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} saw its manifest ({Wait}): the batch is ready.")]
        public static partial void Seen(ILogger logger, string deliveryId, WaitKind wait);

        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId} of route {Route} failed ({Code}): {Detail}")]
        public static partial void Failed(ILogger logger, string deliveryId, string route, string code, string detail);

        [LoggerMessage(LogLevel.Information, "Delivery {DeliveryId} can't see its place in staging (its link is refused), and asks for the export's state instead.")]
        public static partial void LinkIsDead(ILogger logger, string deliveryId);
    }
}
