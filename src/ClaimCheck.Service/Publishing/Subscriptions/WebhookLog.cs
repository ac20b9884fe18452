namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>A row of <c>webhook_deliveries</c>, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record WebhookDeliveryRow(
    Guid EventId, long Position, string Type, string State, int Tries, int? LastStatus, string? LastFailure,
    DateTimeOffset CreatedAt, DateTimeOffset? LastTryAt, DateTimeOffset? NextTryAt, DateTimeOffset? EndedAt)
{
    public const string Columns =
        "event_id, position, type, state, tries, last_status, last_failure, created_at, last_try_at, next_try_at, ended_at";
}

/// <summary>The log of deliveries, as callers see it: list, and deliver again.</summary>
internal sealed class WebhookLog(NpgsqlDataSource catalog, PublicAddress address)
{
    /// <summary>Newest events first.</summary>
    public Task<IReadOnlyList<WebhookDeliveryRow>> ListAsync(
        SubscriptionRow subscription, string? state, long? before, int limit, CancellationToken cancellationToken) =>
        // Walks the index webhook_deliveries_log, or webhook_deliveries_by_state.
        catalog.ListAsync<WebhookDeliveryRow>(
            $"""
            SELECT {WebhookDeliveryRow.Columns}
              FROM webhook_deliveries
             WHERE subscription_id = @Id {(before is null ? "" : "AND position < @before")}
                   {(state is null ? "" : "AND state = @state")}
             ORDER BY position DESC
             LIMIT @limit
            """,
            new { subscription.Id, before, state, limit },
            cancellationToken);

    /// <summary>Begins a new round of tries. A try that is under way becomes the first of that round.</summary>
    /// <returns>Null where that event has no delivery.</returns>
    public async Task<WebhookDeliveryRow?> BeginAgainAsync(
        SubscriptionRow subscription, EventId id, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var row = await transaction.QuerySingleOrDefaultAsync<WebhookDeliveryRow>(
            $"""
            UPDATE webhook_deliveries
               SET state = 'pending', retries = 0, ended_at = NULL,
                   next_try_at = CASE WHEN lease_token IS NOT NULL AND next_try_at > now() THEN next_try_at ELSE now() END
             WHERE subscription_id = @Id AND event_id = @EventId
            RETURNING {WebhookDeliveryRow.Columns}
            """,
            new { subscription.Id, EventId = id.Value },
            cancellationToken);
        await transaction.ExecuteAsync(
            "SELECT pg_notify('claimcheck', @Webhooks)", new { CatalogSignals.Webhooks }, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return row;
    }

    public WebhookDelivery Show(SubscriptionRow subscription, WebhookDeliveryRow row)
    {
        var id = new EventId(row.EventId);
        return new()
        {
            EventId = id,
            Type = row.Type,
            State = row.State,
            Tries = row.Tries,
            LastStatus = row.LastStatus,
            LastFailure = row.LastFailure,
            CreatedAt = row.CreatedAt,
            LastTryAt = row.LastTryAt,
            NextTryAt = row.NextTryAt,
            EndedAt = row.EndedAt,
            Links = new(address.Url($"{SubscriptionViews.PathOf(subscription.SubscriptionId)}/deliveries/{id}")),
        };
    }
}
