using ClaimCheck.Adapter.Settings;
using ClaimCheck.Adapter.Tables;
using ClaimCheck.Consumer;
using ClaimCheck.Consumer.Listening;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// Works on every delivery, step by step. A step reads the document, does one thing that may be repeated, and stores the next
/// state; so a process may end anywhere, and the next one continues.
/// </summary>
internal sealed partial class DeliveryRunner(
    AdapterSettings settings, DeliveryBook book, Asking asking, Pushing pushing, Loading loading, Aftercare aftercare, ILogger<DeliveryRunner> logger) : BackgroundService
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(1); // longer ones are beyond timers
    private readonly TimeProvider time = TimeProvider.System;
    private readonly HashSet<Task> working = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(DeliveryRunner), WorkAsync, logger, stoppingToken);

    private async Task WorkAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var delivery in book.Begun.ReadAllAsync(stoppingToken))
            {
                working.RemoveWhere(task => task.IsCompleted);
                working.Add(BackgroundLoop.RunAsync(
                    $"Delivery {delivery.Document.Id}", token => WorkAsync(delivery, token), logger, stoppingToken));
            }
        }
        finally
        {
            // The process stops: each step ends where it is.
            if (stoppingToken.IsCancellationRequested)
                await Task.WhenAll(working);
        }
    }

    private async Task WorkAsync(Delivery delivery, CancellationToken stoppingToken)
    {
        if (settings.Find(delivery.Document.Route) is not { } route)
        {
            Log.RouteIsGone(logger, delivery.Document.Id, delivery.Document.Route);
            return;
        }

        using var scope = logger.BeginScope("{DeliveryId}", delivery.Document.Id);
        while (!stoppingToken.IsCancellationRequested)
        {
            if (await TryStepAsync(delivery, route, stoppingToken) is not { } pause)
                return;
            try
            {
                await delivery.WaitAsync(pause < LongestSleep ? pause : LongestSleep, time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<TimeSpan?> TryStepAsync(Delivery delivery, Route route, CancellationToken stoppingToken)
    {
        using var step = delivery.BeginStep(stoppingToken);
        try
        {
            var pause = await StepAsync(delivery, route, step.Token);
            delivery.Looks.Failures = 0;
            if (!LooksInVain(delivery) && delivery.Document.LastFailure?.Step == NameOf(delivery.Document.State))
                await delivery.NoteAsync(document => document with { LastFailure = null }, CancellationToken.None);
            return pause;
        }
        catch (OperationCanceledException) when (step.IsCancellationRequested)
        {
            return TimeSpan.Zero; // the process stops, or the delivery is in another state by now
        }
        catch (Exception) when (step.IsCancellationRequested && !stoppingToken.IsCancellationRequested)
        {
            return TimeSpan.Zero;
        }
        catch (ClaimCheckException e)
        {
            var pause = Again(delivery, e is ServiceUnavailableException { RetryAfter: { } asked } ? asked : TimeSpan.Zero);
            if (await NoteAsync(delivery, route, e.Code, e.Message, pause))
                return TimeSpan.Zero;
            if (e.IsTransient)
                Log.TryAgain(logger, delivery.Document.Id, delivery.Document.State, pause, e.Code, e.Message);
            else
                Log.Refused(logger, delivery.Document.Id, delivery.Document.State, pause, e.Code, e.Message);
            return pause;
        }
        catch (Exception e) // a full disk, a defect: neither may end the work on a delivery permanently
        {
            var pause = Again(delivery, TimeSpan.Zero);
            Log.Unexpected(logger, Defect.Of(e), delivery.Document.Id, delivery.Document.State, pause);
            return await NoteAsync(delivery, route, StepFailure.UnexpectedCode, StepFailure.Unexpected(e), pause) ? TimeSpan.Zero : pause;
        }
    }

    private async Task<TimeSpan?> StepAsync(Delivery delivery, Route route, CancellationToken cancellationToken) => delivery.Document.State switch
    {
        DeliveryState.Requested => await asking.RequestAsync(delivery, route, cancellationToken),
        DeliveryState.Waiting => await asking.LookAsync(delivery, route, cancellationToken),
        DeliveryState.Delivering when route.Destination is TableDestination => await loading.LoadAsync(delivery, route, cancellationToken),
        DeliveryState.Delivering => await pushing.PushAsync(delivery, route, cancellationToken),
        DeliveryState.Cancelling or DeliveryState.Revoking => await pushing.RemoveAsync(delivery, route, cancellationToken),
        _ => await aftercare.CareAsync(delivery, route, cancellationToken),
    };

    // What was pushed must be removed, however long that takes: a removal is not given up.
    private static bool EndsInVain(DeliveryState state) => state is DeliveryState.Requested or DeliveryState.Waiting or DeliveryState.Delivering;

    // The state of the export is asked for in any case, and tells when it is ready.
    private static bool LooksInVain(Delivery delivery) => delivery.Document.State == DeliveryState.Waiting && delivery.Looks.IsLookFailing;

    private static string NameOf(DeliveryState state) => state.ToString().ToLowerInvariant();

    /// <returns>Whether the delivery is given up.</returns>
    private async Task<bool> NoteAsync(Delivery delivery, Route route, string code, string detail, TimeSpan pause)
    {
        var (document, now) = (delivery.Document, time.GetUtcNow());
        var failure = StepFailure.After(document.LastFailure, NameOf(document.State), code, detail, now, pause);
        if (EndsInVain(document.State) && !LooksInVain(delivery) && now - failure.Since >= settings.Retry.GiveUpAfter)
        {
            try
            {
                return await asking.FailAsync(delivery, route, new(code, $"It was given up after {failure.Tries} tries since {failure.Since:u}. {detail}"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It can't be stored: it is tried once more.
            }
        }

        await delivery.NoteAsync(each => each.State == document.State ? each with { LastFailure = failure } : null, CancellationToken.None);
        return false;
    }

    private TimeSpan Again(Delivery delivery, TimeSpan asked)
    {
        var longest = settings.Retry.LongestDelay;
        var pause = Pause.After(++delivery.Looks.Failures, settings.Retry.Delay, longest);
        return asked > pause ? asked < longest ? asked : longest : pause;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId} ({State}) is tried again in {Pause}. {Code}: {Reason}")]
        public static partial void TryAgain(ILogger logger, string deliveryId, DeliveryState state, TimeSpan pause, string code, string reason);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId} ({State}) is refused, and tried again in {Pause}: somebody must fix it. {Code}: {Reason}")]
        public static partial void Refused(ILogger logger, string deliveryId, DeliveryState state, TimeSpan pause, string code, string reason);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId} ({State}) failed unexpectedly, and is tried again in {Pause}.")]
        public static partial void Unexpected(ILogger logger, Exception exception, string deliveryId, DeliveryState state, TimeSpan pause);

        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId} is suspended: its route {Route} is not configured any more.")]
        public static partial void RouteIsGone(ILogger logger, string deliveryId, string route);
    }
}
