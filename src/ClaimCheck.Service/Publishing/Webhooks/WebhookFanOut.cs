namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>Turns the feed into webhook deliveries: inserts one for each new event and each webhook that wants it, and moves the
/// position on, in one statement. Every worker does it; the lock on the position admits one at a time.</summary>
internal sealed class WebhookFanOut(
    NpgsqlDataSource catalog, CatalogSignals signals, ILogger<WebhookFanOut> logger) : BackgroundService
{
    private const int AtOnce = 500;
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(WebhookFanOut),
            token => PeriodicWork.RunAsync(MoveAsync, signals, CatalogSignals.Feed, LookAgain, logger, token),
            logger,
            stoppingToken);

    /// <returns>False where there was no more to move.</returns>
    private async Task<bool> MoveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await MoveSomeAsync(cancellationToken) == AtOnce;
        }
        // A subscription that was deleted, or an event that was removed, at this very moment: it is not found the next time.
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return true;
        }
    }

    private async Task<long> MoveSomeAsync(CancellationToken cancellationToken)
    {
        // Positions are given in the order of commits: what is read up to one is complete.
        var (events, deliveries) = await catalog.QuerySingleAsync<(long, long)>(
            """
            WITH here AS (
                -- A position beyond the head belongs to another history. Existing deliveries are not created again.
                SELECT CASE WHEN r.position > f.head THEN f.forgotten ELSE r.position END AS position
                  FROM feed_relays r, event_feed f
                 WHERE r.name = 'webhooks'
                   FOR UPDATE OF r SKIP LOCKED
            ), next AS (
                SELECT o.event_id, o.position, o.tenant, o.dataset, o.type, o.consumer
                  FROM outbox o
                 WHERE o.position > (SELECT position FROM here)
                 ORDER BY o.position
                 LIMIT @AtOnce
            ), made AS (
                INSERT INTO webhook_deliveries (subscription_id, event_id, position, type)
                SELECT s.id, n.event_id, n.position, n.type
                  FROM next n
                  JOIN event_subscriptions s
                    ON s.protocol = 'webhook' AND s.state = 'active' AND s.tenant = n.tenant AND s.after_position < n.position
                   AND n.consumer IN ('*', s.consumer)
                   AND (s.datasets IS NULL OR n.dataset = ANY(s.datasets))
                   AND (s.types IS NULL OR n.type = ANY(s.types))
                ON CONFLICT DO NOTHING
                RETURNING 1
            ), moved AS (
                UPDATE feed_relays
                   SET position = (SELECT max(position) FROM next), moved_at = now()
                 WHERE name = 'webhooks' AND EXISTS (SELECT FROM next)
            )
            SELECT (SELECT count(*) FROM next), (SELECT count(*) FROM made)
            """,
            new { AtOnce },
            cancellationToken);
        if (deliveries > 0)
        {
            await catalog.ExecuteAsync(
                "SELECT pg_notify('claimcheck', @Webhooks)", new { CatalogSignals.Webhooks }, cancellationToken);
        }

        return events;
    }
}
