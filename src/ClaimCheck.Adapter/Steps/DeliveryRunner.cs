namespace ClaimCheck.Adapter.Steps;

/// <summary>Runs the steps of one delivery; a step that fails is tried again.</summary>
internal sealed partial class DeliveryRunner(
    CheckedAdapterOptions options, IEnumerable<IDeliveryStep> steps, DeliveryOutcomes outcomes, ILogger<DeliveryRunner> logger)
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(1); // longer ones are beyond timers
    private readonly TimeProvider time = TimeProvider.System;
    private readonly IReadOnlyList<IDeliveryStep> steps = [.. steps];

    /// <summary>Works on a delivery until it is deleted, or the process stops.</summary>
    public async Task RunAsync(Delivery delivery, CancellationToken stoppingToken)
    {
        if (options.Find(delivery.Document.Route) is not { } route)
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
            var pause = await StepOf(delivery.Document, route).RunAsync(delivery, route, step.Token);
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
            return await NoteAsync(delivery, route, StepFailure.UnexpectedCode, StepFailure.Unexpected(e), pause)
                ? TimeSpan.Zero
                : pause;
        }
    }

    private IDeliveryStep StepOf(DeliveryDocument document, Route route) => steps.First(step => step.Takes(document, route));

    // What was pushed must be removed, however long that takes: a removal is not given up.
    private static bool EndsInVain(DeliveryState state) =>
        state is DeliveryState.Requested or DeliveryState.Waiting or DeliveryState.Delivering;

    // The state of the export is asked for in any case, and tells when it is ready.
    private static bool LooksInVain(Delivery delivery) =>
        delivery.Document.State == DeliveryState.Waiting && delivery.Looks.IsLookFailing;

    private static string NameOf(DeliveryState state) => state.ToString().ToLowerInvariant();

    /// <returns>Whether the delivery is given up.</returns>
    private async Task<bool> NoteAsync(Delivery delivery, Route route, string code, string detail, TimeSpan pause)
    {
        var (document, now) = (delivery.Document, time.GetUtcNow());
        var failure = StepFailure.After(document.LastFailure, NameOf(document.State), code, detail, now, pause);
        if (EndsInVain(document.State) && !LooksInVain(delivery) && now - failure.Since >= options.Retry.GiveUpAfter)
        {
            try
            {
                return await outcomes.FailAsync(
                    delivery, route, new(code, $"It was given up after {failure.Tries} tries since {failure.Since:u}. {detail}"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It can't be stored: it is tried once more.
            }
        }

        await delivery.NoteAsync(
            each => each.State == document.State ? each with { LastFailure = failure } : null, CancellationToken.None);
        return false;
    }

    private TimeSpan Again(Delivery delivery, TimeSpan asked) =>
        Backoff.After(++delivery.Looks.Failures, options.Retry.Delay, options.Retry.LongestDelay, asked);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId} ({State}) is tried again in {Pause}. {Code}: {Reason}")]
        public static partial void TryAgain(
            ILogger logger, string deliveryId, DeliveryState state, TimeSpan pause, string code, string reason);

        [LoggerMessage(LogLevel.Error,
            "Delivery {DeliveryId} ({State}) is refused, and tried again in {Pause}: somebody must fix it. {Code}: {Reason}")]
        public static partial void Refused(
            ILogger logger, string deliveryId, DeliveryState state, TimeSpan pause, string code, string reason);

        [LoggerMessage(LogLevel.Error, "Delivery {DeliveryId} ({State}) failed unexpectedly, and is tried again in {Pause}.")]
        public static partial void Unexpected(
            ILogger logger, Exception exception, string deliveryId, DeliveryState state, TimeSpan pause);

        [LoggerMessage(LogLevel.Warning, "Delivery {DeliveryId} is suspended: its route {Route} is not configured.")]
        public static partial void RouteIsGone(ILogger logger, string deliveryId, string route);
    }
}
