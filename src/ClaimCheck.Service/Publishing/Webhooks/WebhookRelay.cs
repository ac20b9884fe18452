namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>Delivers events to webhooks, many at once, each by one process at a time. An event whose answer was lost, or not
/// recorded, is sent again under its id; the order of events is not kept.</summary>
internal sealed partial class WebhookRelay(
    WebhookDeliveries deliveries, WebhookPosts posts, CatalogSignals signals, WebhookOptions options,
    ILogger<WebhookRelay> logger) : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WhileStagingIsAway = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(12); // more than CleanUp: the outcome is still recorded
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(10);
    private readonly List<(Task Task, Guid Subscription)> running = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(nameof(WebhookRelay), LoopAsync, logger, stoppingToken);

    private async Task LoopAsync(CancellationToken stoppingToken)
    {
        using var signal = signals.Listen(CatalogSignals.Webhooks);
        await PeriodicWork.RunAsync(
            token => LeaseAsync(signal, token), token => signal.WaitAsync(LookAgain, token), logger, stoppingToken);
        await Task.WhenAll(running.Select(delivery => delivery.Task));
    }

    private async Task<bool> LeaseAsync(CatalogSignals.Signal signal, CancellationToken stoppingToken)
    {
        running.RemoveAll(delivery => delivery.Task.IsCompleted);
        var room = options.Concurrency - running.Count;
        if (room == 0)
            return false;
        var leased = await deliveries.LeaseAsync(
            running.CountBy(delivery => delivery.Subscription).ToDictionary(), room, stoppingToken);
        foreach (var lease in leased)
            running.Add((DeliverAsync(lease, signal, stoppingToken), lease.SubscriptionId));
        return leased.Count > 0;
    }

    // Never throws: a failure here must not stop the others.
    private async Task DeliverAsync(WebhookLease lease, CatalogSignals.Signal signal, CancellationToken stoppingToken)
    {
        try
        {
            await TryAsync(lease, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await GiveBackAsync(lease, TimeSpan.Zero);
        }
        catch (StagingException)
        {
            Log.NoLinks(logger, lease.Event, lease.Subscription);
            await GiveBackAsync(lease, WhileStagingIsAway);
        }
        catch (Exception e)
        {
            // Where it is not an outage, it counts as a try, so that the tries end.
            Tell(e, lease);
            if (CatalogErrors.IsOfOneItem(e))
                await CountAsync(lease);
        }

        signal.Set(); // there is room again
    }

    private async Task TryAsync(WebhookLease lease, CancellationToken stoppingToken)
    {
        if (await deliveries.EventAsync(lease, stoppingToken) is not { } row)
            return;
        // Nothing is sent after another process may have leased it.
        using var leased = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        leased.CancelAfter(options.Lease - Margin);
        if (await posts.PostAsync(
            lease.Subscription, new(lease.Endpoint, lease.ContentType), row, leased.Token) is not { } answer)
        {
            await deliveries.SupersededAsync(lease, stoppingToken);
            Log.Superseded(logger, lease.Type, lease.Event, lease.Subscription);
            return;
        }

        // The try was made: its outcome is recorded even while the service stops.
        using var patience = new CancellationTokenSource(CleanUp);
        if (answer.IsDelivered)
        {
            await deliveries.DeliveredAsync(lease, answer.Status!.Value, patience.Token);
            Log.Delivered(logger, lease.Type, lease.Event, lease.Subscription);
            return;
        }

        var wait = answer.Failure == WebhookAnswer.Gone
            ? null
            : options.WaitAfter(lease.Retries, answer.RetryAfter, Random.Shared.NextDouble());
        var disabled = await deliveries.FailedAsync(lease, answer, wait, patience.Token);
        if (wait is { } next)
            Log.Again(logger, lease.Type, lease.Event, lease.Subscription, answer.Failure!, answer.Status, next);
        else
            Log.GivenUp(logger, lease.Type, lease.Event, lease.Subscription, answer.Failure!, answer.Status);
        if (disabled is not null)
            Log.Disabled(logger, lease.Subscription, disabled);
    }

    private async Task GiveBackAsync(WebhookLease lease, TimeSpan wait)
    {
        using var patience = new CancellationTokenSource(CleanUp);
        try
        {
            await deliveries.ReleaseAsync(lease, wait, patience.Token);
        }
        catch (Exception e)
        {
            Tell(e, lease); // the lease runs out by itself
        }
    }

    private async Task CountAsync(WebhookLease lease)
    {
        using var patience = new CancellationTokenSource(CleanUp);
        try
        {
            var wait = options.WaitAfter(lease.Retries, retryAfter: null, Random.Shared.NextDouble());
            await deliveries.FailedAsync(lease, WebhookAnswer.None, wait, patience.Token);
            if (wait is null)
                Log.GivenUp(logger, lease.Type, lease.Event, lease.Subscription, WebhookAnswer.Internal, null);
        }
        catch (Exception e)
        {
            Tell(e, lease);
        }
    }

    // The message may contain an address: for an outage only the type is logged, and an unexpected exception is logged with its
    // stack.
    private void Tell(Exception e, WebhookLease lease)
    {
        if (CatalogErrors.IsOfOneItem(e))
            Log.Defective(logger, Defect.Of(e), lease.Event, lease.Subscription);
        else
            Log.Broken(logger, lease.Event, lease.Subscription, e.GetType().Name);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Type} {EventId} is delivered to {SubscriptionId}.")]
        public static partial void Delivered(ILogger logger, string type, EventId eventId, SubscriptionId subscriptionId);

        [LoggerMessage(
            LogLevel.Information, "{Type} {EventId} is not delivered to {SubscriptionId}: its batch has ended.")]
        public static partial void Superseded(ILogger logger, string type, EventId eventId, SubscriptionId subscriptionId);

        [LoggerMessage(LogLevel.Information,
            "{Type} {EventId} is not delivered to {SubscriptionId} yet ({Failure}, {Status}); it is tried again in {Wait}.")]
        public static partial void Again(
            ILogger logger, string type, EventId eventId, SubscriptionId subscriptionId, string failure, int? status,
            TimeSpan wait);

        [LoggerMessage(
            LogLevel.Warning, "{Type} {EventId} is not delivered to {SubscriptionId}: all tries failed ({Failure}, {Status}).")]
        public static partial void GivenUp(
            ILogger logger, string type, EventId eventId, SubscriptionId subscriptionId, string failure, int? status);

        [LoggerMessage(LogLevel.Warning, "Subscription {SubscriptionId} is disabled. {Reason}")]
        public static partial void Disabled(ILogger logger, SubscriptionId subscriptionId, string reason);

        [LoggerMessage(LogLevel.Warning, "{EventId} waits for {SubscriptionId}: staging can't sign links at present.")]
        public static partial void NoLinks(ILogger logger, EventId eventId, SubscriptionId subscriptionId);

        [LoggerMessage(
            LogLevel.Error, "Delivering {EventId} to {SubscriptionId} hit a defect of the service; it is tried again.")]
        public static partial void Defective(ILogger logger, Exception exception, EventId eventId, SubscriptionId subscriptionId);

        [LoggerMessage(LogLevel.Warning, "Delivering {EventId} to {SubscriptionId} was interrupted ({Reason}); it is resumed.")]
        public static partial void Broken(ILogger logger, EventId eventId, SubscriptionId subscriptionId, string reason);
    }
}
