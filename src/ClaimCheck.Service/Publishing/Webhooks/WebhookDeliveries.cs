namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>An event that this process has leased to deliver it to one webhook. The endpoint may be a secret.</summary>
internal sealed record WebhookLease(
    Guid SubscriptionId, Guid EventId, string Type, int Retries, Guid Token, string Endpoint, string? ContentType)
{
    public SubscriptionId Subscription => new(SubscriptionId);

    public Contracts.EventId Event => new(EventId);

    public override string ToString() => $"{Event} to {Subscription}";
}

/// <summary>The webhook deliveries in the catalog, as the relays see them. A lease is a time until which no other process takes
/// the row; what is written afterwards is guarded by its token.</summary>
internal sealed class WebhookDeliveries(NpgsqlDataSource catalog, WebhookOptions options)
{
    /// <summary>Leases what is due, up to a number per webhook: fewer for one that this process is working on already, one for
    /// one that fails.</summary>
    public Task<IReadOnlyList<WebhookLease>> LeaseAsync(
        IReadOnlyDictionary<Guid, int> running, int most, CancellationToken cancellationToken) =>
        // Webhooks with the fewest deliveries under way come first, in random order among equals: those that always have
        // something due leave room for the others. The index is webhook_deliveries_due, once for each webhook; SKIP LOCKED lets
        // replicas lease at the same time.
        catalog.ListAsync<WebhookLease>(
            """
            WITH running AS (
                SELECT * FROM unnest(@Ids::uuid[], @Counts::int[]) AS r (id, running)
            ), due AS (
                SELECT w.subscription_id, w.event_id, s.endpoint, s.content_type
                  FROM (SELECT s.id, s.endpoint, s.content_type,
                               greatest(0, CASE WHEN s.failing_since IS NULL THEN @PerSubscription
                                                ELSE 1 END - coalesce(r.running, 0)) AS room
                          FROM event_subscriptions s
                          LEFT JOIN running r ON r.id = s.id
                         WHERE s.protocol = 'webhook' AND s.state = 'active'
                         ORDER BY coalesce(r.running, 0), random()) s
                 CROSS JOIN LATERAL (
                    SELECT d.subscription_id, d.event_id
                      FROM webhook_deliveries d
                     WHERE d.subscription_id = s.id AND d.next_try_at <= now()
                     ORDER BY d.next_try_at, d.position
                     LIMIT s.room
                       FOR UPDATE SKIP LOCKED
                       ) w
                 LIMIT @most
            )
            UPDATE webhook_deliveries d
               SET lease_token = gen_random_uuid(), next_try_at = now() + @Lease
              FROM due
             WHERE d.subscription_id = due.subscription_id AND d.event_id = due.event_id
            RETURNING d.subscription_id, d.event_id, d.type, d.retries, d.lease_token AS token, due.endpoint, due.content_type
            """,
            new { Ids = running.Keys.ToArray(), Counts = running.Values.ToArray(), options.PerSubscription, options.Lease, most },
            cancellationToken);

    /// <summary>The event, unless it was deleted from the feed.</summary>
    public Task<OutboxEvent?> EventAsync(WebhookLease lease, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<OutboxEvent>(
            $"SELECT {OutboxEvent.Columns} FROM outbox WHERE event_id = @EventId AND position IS NOT NULL",
            new { lease.EventId },
            cancellationToken);

    public Task DeliveredAsync(WebhookLease lease, int status, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            WITH done AS (
                UPDATE webhook_deliveries
                   SET state = 'delivered', tries = tries + 1, last_status = @status, last_failure = NULL, lease_token = NULL,
                       next_try_at = NULL, last_try_at = now(), ended_at = now()
                 WHERE subscription_id = @SubscriptionId AND event_id = @EventId AND lease_token = @Token
                RETURNING subscription_id
            )
            UPDATE event_subscriptions SET failing_since = NULL WHERE id IN (SELECT subscription_id FROM done)
               AND failing_since IS NOT NULL
            """,
            new { lease.SubscriptionId, lease.EventId, lease.Token, status },
            cancellationToken);

    public Task SupersededAsync(WebhookLease lease, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            UPDATE webhook_deliveries
               SET state = 'superseded', lease_token = NULL, next_try_at = NULL, ended_at = now()
             WHERE subscription_id = @SubscriptionId AND event_id = @EventId AND lease_token = @Token
            """,
            new { lease.SubscriptionId, lease.EventId, lease.Token },
            cancellationToken);

    /// <summary>Gives back what was not tried, or whose try was interrupted: it is due again after this time.</summary>
    public Task ReleaseAsync(WebhookLease lease, TimeSpan wait, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            UPDATE webhook_deliveries
               SET lease_token = NULL, next_try_at = now() + @wait
             WHERE subscription_id = @SubscriptionId AND event_id = @EventId AND lease_token = @Token
            """,
            new { lease.SubscriptionId, lease.EventId, lease.Token, wait },
            cancellationToken);

    /// <summary>Records a failed try; a webhook that is gone, or has failed for too long, is disabled with it.</summary>
    /// <param name="lease">The delivery.</param>
    /// <param name="answer">The outcome of the try.</param>
    /// <param name="wait">How long until the next try; null where there is none.</param>
    /// <returns>Why the webhook is disabled by this; else null.</returns>
    public Task<string?> FailedAsync(
        WebhookLease lease, WebhookAnswer answer, TimeSpan? wait, CancellationToken cancellationToken) =>
        CatalogErrors.Patient.ExecuteAsync(async token =>
        {
            var isGone = answer.Failure == WebhookAnswer.Gone;
            await using var transaction = await Transaction.BeginAsync(catalog, token);
            var marked = await transaction.ExecuteAsync(
                """
                UPDATE webhook_deliveries
                   SET state = CASE WHEN @wait::interval IS NULL THEN 'failed' ELSE 'pending' END,
                       tries = tries + 1, retries = retries + 1, last_status = @Status,
                       last_failure = @Failure, lease_token = NULL,
                       next_try_at = now() + @wait::interval, last_try_at = now(),
                       ended_at = CASE WHEN @wait::interval IS NULL THEN now() END
                 WHERE subscription_id = @SubscriptionId AND event_id = @EventId AND lease_token = @Token
                """,
                new { lease.SubscriptionId, lease.EventId, lease.Token, answer.Status, answer.Failure, wait },
                token);
            if (marked == 0)
                return null;
            if (answer.Failure == WebhookAnswer.Internal)
            {
                await transaction.CommitAsync(token);
                return null; // the endpoint is not at fault
            }

            await transaction.ExecuteAsync(
                "UPDATE event_subscriptions SET failing_since = now() WHERE id = @SubscriptionId AND failing_since IS NULL",
                new { lease.SubscriptionId },
                token);
            var reason = await transaction.ExecuteScalarAsync<string?>(
                """
                UPDATE event_subscriptions
                   SET state = 'disabled', disabled_at = now(), reason = @Reason
                 WHERE id = @SubscriptionId AND state = 'active' AND (@isGone OR failing_since <= now() - @DisableAfter)
                RETURNING reason
                """,
                new
                {
                    lease.SubscriptionId,
                    isGone,
                    options.DisableAfter,
                    Reason = isGone
                        ? "The endpoint answered 410: it wants no more."
                        : $"Every try has failed for {IsoDuration.Format(options.DisableAfter)} or more.",
                },
                token);
            if (reason is not null)
            {
                // A try that is under way records its own outcome.
                await transaction.ExecuteAsync(
                    """
                    UPDATE webhook_deliveries
                       SET state = 'failed', lease_token = NULL, next_try_at = NULL, ended_at = now()
                     WHERE subscription_id = @SubscriptionId AND next_try_at IS NOT NULL
                       AND (lease_token IS NULL OR next_try_at <= now())
                    """,
                    new { lease.SubscriptionId },
                    token);
            }

            await transaction.CommitAsync(token);
            return reason;
        }, cancellationToken).AsTask();

    private Task ExecuteAsync(string sql, object parameters, CancellationToken cancellationToken) =>
        CatalogErrors.Patient.ExecuteAsync(async token =>
        {
            await using var connection = await catalog.OpenConnectionAsync(token);
            await connection.ExecuteAsync(sql, parameters, token);
        }, cancellationToken).AsTask();
}
