namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>Continues with subscriptions that SNS has not accepted, or not removed, yet: at start, and whenever a try is
/// due.</summary>
internal sealed partial class SubscriptionWorker(
    NpgsqlDataSource catalog, TopicSubscriptions topics, ILogger<SubscriptionWorker> logger) : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(SubscriptionWorker), token => PeriodicWork.RunAsync(SettleDueAsync, LookAgain, logger, token), logger,
            stoppingToken);

    private async Task<bool> SettleDueAsync(CancellationToken stoppingToken)
    {
        foreach (var id in await DueAsync(stoppingToken))
            await SettleAsync(new(id), stoppingToken);
        return false; // those that were leased meanwhile must not be looked for again at once
    }

    // Leasing it has postponed its next try: a failure of one does not delay the others.
    private async Task SettleAsync(SubscriptionId id, CancellationToken stoppingToken)
    {
        try
        {
            await topics.SettleAsync(id, deleteIfRefused: false, stoppingToken);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            Log.Broken(logger, Defect.Of(e), id);
        }
    }

    private async Task<IEnumerable<Guid>> DueAsync(CancellationToken cancellationToken) =>
        // The index is event_subscriptions_to_settle.
        await catalog.ListAsync<Guid>(
            """
            SELECT id
              FROM event_subscriptions
             WHERE next_try_at <= now() AND (lease_until IS NULL OR lease_until <= now()) AND state IN ('pending', 'deleting')
             ORDER BY next_try_at
             LIMIT 100
            """,
            null,
            cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Error, "Subscription {SubscriptionId} can't be brought to SNS; it is tried again, and others continue.")]
        public static partial void Broken(ILogger logger, Exception exception, SubscriptionId subscriptionId);
    }
}
