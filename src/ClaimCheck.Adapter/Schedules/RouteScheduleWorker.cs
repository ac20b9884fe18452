namespace ClaimCheck.Adapter.Schedules;

/// <summary>
/// Triggers routes on schedule. A fire time is the origin of one delivery, whose id follows from it: stored before the schedule
/// moves on, and found again if the process ended in between. Of the fire times that passed while no process ran, only the last
/// one counts.
/// </summary>
internal sealed partial class RouteScheduleWorker(
    CheckedAdapterOptions options, DeliveryBook book, StateDirectory state, RouteFailures failures,
    ILogger<RouteScheduleWorker> logger) : BackgroundService
{
    private const string Step = "clock";
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(30); // the machine's clock may be changed
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);
    private readonly TimeProvider time = TimeProvider.System;
    private readonly ConcurrentDictionary<string, RouteClock> clocks = new(StringComparer.Ordinal);

    /// <summary>When the schedule last triggered the route, or null.</summary>
    public DateTimeOffset? LastFireOf(Route route) => clocks.GetValueOrDefault(route.Name)?.LastFireAt;

    /// <summary>When it will do so next, or null.</summary>
    public DateTimeOffset? NextFireOf(Route route) => route.Cron?.GetNextValidTimeAfter(time.GetUtcNow());

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(RouteScheduleWorker), RunAsync, logger, stoppingToken);

    // Each by itself: one that fails does not delay others.
    private Task RunAsync(CancellationToken stoppingToken) => Task.WhenAll(
        from route in options.Routes
        where route.Cron is not null
        select BackgroundLoop.RunAsync(
            $"The clock of route {route.Name}", token => RunAsync(route, token), logger, stoppingToken));

    private async Task RunAsync(Route route, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await TickAsync(route, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.NotWritten(logger, Defect.Of(e), route.Name);
                failures.Failed(route.Name, Step, "state_not_written",
                    "The state directory can't be written to; the log has the reason.", AfterFailure);
                await Task.Delay(AfterFailure, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task TickAsync(Route route, CancellationToken stoppingToken)
    {
        var (cron, now) = (route.Cron!, time.GetUtcNow());
        var clock = await ClockAsync(route, now, stoppingToken);
        if (Fires.LatestDue(cron, clock.RanUntil, now) is { } fireAt)
        {
            var (delivery, isNew) = await book.BeginAsync(
                route, $"fire {fireAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}", route.Request(), null, stoppingToken);
            await SaveAsync(route, clock with { RanUntil = fireAt, LastFireAt = fireAt }, stoppingToken);
            failures.Succeeded(route.Name, Step);
            if (isNew)
                Log.Fired(logger, route.Name, fireAt, delivery.Document.Id);
        }

        var from = clocks[route.Name].RanUntil > now ? clocks[route.Name].RanUntil : now;
        var pause = cron.GetNextValidTimeAfter(from) is { } next ? next - time.GetUtcNow() : LongestSleep;
        if (pause > TimeSpan.Zero)
            await Task.Delay(pause < LongestSleep ? pause : LongestSleep, time, stoppingToken);
    }

    private async Task<RouteClock> ClockAsync(Route route, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (clocks.TryGetValue(route.Name, out var clock))
            return clock;
        var cron = $"{route.Cron!.CronExpressionString} {route.Cron.TimeZone.Id}";
        clock = await state.LoadClockAsync(route.Name, cancellationToken);
        // A new route, or a new expression, has no missed fire times.
        return clock?.Cron == cron
            ? clocks[route.Name] = clock
            : await SaveAsync(route, new(cron, now, clock?.LastFireAt), cancellationToken);
    }

    private async Task<RouteClock> SaveAsync(Route route, RouteClock clock, CancellationToken cancellationToken)
    {
        await state.SaveClockAsync(route.Name, clock, cancellationToken);
        return clocks[route.Name] = clock;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Route {Route} is triggered for {FireAt}: delivery {DeliveryId}.")]
        public static partial void Fired(ILogger logger, string route, DateTimeOffset fireAt, string deliveryId);

        [LoggerMessage(
            LogLevel.Error, "Route {Route} could not be triggered: the state directory can't be written to. It is tried again.")]
        public static partial void NotWritten(ILogger logger, Exception exception, string route);
    }
}
