using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Consumer;

namespace ClaimCheck.Adapter.Events;

/// <summary>One listener for each source of events that a route names.</summary>
internal static class EventsFeature
{
    public static WebApplicationBuilder AddEvents(this WebApplicationBuilder builder, AdapterSettings settings, StateDirectory state)
    {
        var consumer = builder.Services.AddClaimCheckConsumer(options =>
        {
            (options.Service, options.ApiKey, options.Consumer) = (settings.Service, settings.ApiKey, settings.Consumer);
            // Everything that is exported is loaded, whatever the service's own limit is.
            options.MaxRecordBytes = BatchReaderOptions.LargestRecord;
            foreach (var host in settings.AllowedLinkHosts)
                options.AllowedLinkHosts.Add(host);
        });
        foreach (var source in settings.Routes.Select(route => route.Events).OfType<Routes.EventSource>().Distinct())
        {
            if (source.QueueUrl is { } queue)
                consumer.AddSqsListener<RouteEvents>(queue, options => options.StopTimeout = TimeSpan.FromSeconds(5));
            else
                consumer.AddFeedListener<RouteEvents>(new FileCursorStore(CursorOf(settings, state)), Follow);
        }

        return builder;
    }

    // Another service has a feed of its own.
    private static string CursorOf(AdapterSettings settings, StateDirectory state) =>
        Path.Combine(state.Cursors, "feed-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(settings.Service.AbsoluteUri)).AsSpan(0, 8)));

    private static void Follow(FeedListenerOptions options)
    {
        // Handling an event means storing it: that fails while the disk is full, and must not be given up for that.
        options.MaxAttempts = 1000;
        options.MaxRetryDelay = TimeSpan.FromMinutes(1);
        options.StopTimeout = TimeSpan.FromSeconds(5);
        // For its own requests the adapter also asks for the state; none of those is missed.
        options.WhenCursorExpired = ExpiredCursor.StartFromOldest;
    }
}
