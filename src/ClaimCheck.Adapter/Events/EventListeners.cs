namespace ClaimCheck.Adapter.Events;

/// <summary>Registers one listener for each event source of the routes.</summary>
internal static class EventListeners
{
    public static IServiceCollection AddListeners(
        this IServiceCollection services, CheckedAdapterOptions adapter, StateDirectory state)
    {
        var consumer = services.AddClaimCheckConsumer(options =>
        {
            (options.Service, options.ApiKey, options.Consumer) = (adapter.Service, adapter.ApiKey, adapter.Consumer);
            // Everything that is exported is loaded, whatever the service's own limit is.
            options.MaxRecordBytes = BatchReaderOptions.LargestRecord;
            foreach (var host in adapter.AllowedLinkHosts)
                options.AllowedLinkHosts.Add(host);
        });
        foreach (var source in adapter.Routes.Select(route => route.Events).OfType<EventSource>().Distinct())
        {
            if (source.QueueUrl is { } queue)
                consumer.AddSqsListener<RouteEvents>(queue, options => options.StopTimeout = TimeSpan.FromSeconds(5));
            else
                consumer.AddFeedListener<RouteEvents>(new FileCursorStore(CursorOf(adapter, state)), Follow);
        }

        return services;
    }

    // Another service has a feed of its own.
    private static string CursorOf(CheckedAdapterOptions adapter, StateDirectory state) =>
        Path.Combine(state.Cursors, "feed-" + Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(adapter.Service.AbsoluteUri)).AsSpan(0, 8)));

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
