namespace ClaimCheck.Adapter.Retention;

/// <summary>
/// Regularly checks the destinations for batches whose retention is over, and for leftovers of crashed writers.
/// </summary>
internal sealed partial class LocationRetentionWorker(
    CheckedAdapterOptions options, RouteLocations locations, LocationRetention retention, RouteFailures failures,
    ILogger<LocationRetentionWorker> logger) : BackgroundService
{
    private const string Step = "retention";
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(15);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(LocationRetentionWorker), WorkAsync, logger, stoppingToken);

    // Each by itself: one that fails does not delay others.
    private Task WorkAsync(CancellationToken stoppingToken) => Task.WhenAll(
        from route in options.Routes
        let destination = route.Destination as LocationDestination
        where destination is not null
        select BackgroundLoop.RunAsync(
            $"The retention of route {route.Name}", token => WorkAsync(route, destination, token), logger, stoppingToken));

    private async Task WorkAsync(Route route, LocationDestination destination, CancellationToken stoppingToken)
    {
        var (location, options) = (locations.Of(route), destination.Location);
        var pause = options.Retention / 10 is { } tenth && tenth < LongestPause ? tenth : LongestPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(PollInterval.Jittered(pause > ShortestPause ? pause : ShortestPause), stoppingToken);
                await retention.SweepAsync(
                    location, destination.Folder.Depth, options.Retention, options.TemporaryLease, stoppingToken);
                failures.Succeeded(route.Name, Step);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (LocationException e)
            {
                Log.NotLookedThrough(logger, location.Name, e.Message);
                failures.Failed(route.Name, Step, e.Code, e.Message, pause > ShortestPause ? pause : ShortestPause);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Location} could not be checked for batches whose retention is over. {Reason}")]
        public static partial void NotLookedThrough(ILogger logger, string location, string reason);
    }
}
