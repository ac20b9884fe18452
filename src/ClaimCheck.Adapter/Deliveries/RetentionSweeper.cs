using ClaimCheck.Adapter.Locations;
using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer.Listening;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>
/// Regularly checks the destinations for batches whose retention is over, and for leftovers of crashed writers.
/// </summary>
internal sealed partial class RetentionSweeper(
    AdapterSettings settings, Destinations destinations, LocationRetention retention, RouteFailures failures, ILogger<RetentionSweeper> logger) : BackgroundService
{
    private const string Step = "retention";
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(15);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(RetentionSweeper), SweepAsync, logger, stoppingToken);

    // Each by itself: one that fails does not delay others.
    private Task SweepAsync(CancellationToken stoppingToken) => Task.WhenAll(
        from route in settings.Routes
        let destination = route.Destination as LocationDestination
        where destination is not null
        select BackgroundLoop.RunAsync($"The sweeper of route {route.Name}", token => SweepAsync(route, destination, token), logger, stoppingToken));

    private async Task SweepAsync(Route route, LocationDestination destination, CancellationToken stoppingToken)
    {
        var (location, options) = (destinations.Of(route), destination.Location);
        var pause = options.Retention / 10 is { } tenth && tenth < LongestPause ? tenth : LongestPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(Pause.Jittered(pause > ShortestPause ? pause : ShortestPause), stoppingToken);
                await retention.SweepAsync(location, destination.Folder.Depth, options.Retention, options.TemporaryLease, stoppingToken);
                failures.Succeeded(route.Name, Step);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (LocationException e)
            {
                Log.NotSwept(logger, location.Name, e.Message);
                failures.Failed(route.Name, Step, e.Code, e.Message, pause > ShortestPause ? pause : ShortestPause);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "{Location} could not be checked for batches whose retention is over. {Reason}")]
        public static partial void NotSwept(ILogger logger, string location, string reason);
    }
}
