namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>The subscriptions in the catalog: create, find, list, delete. A caller that acts for a consumer sees only that
/// one's.</summary>
internal sealed class SubscriptionStore(NpgsqlDataSource catalog)
{
    /// <summary>How many a tenant may have.</summary>
    public const int Most = 1000;

    /// <summary>Longer than any try with SNS takes: after that its process counts as gone.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    /// <summary>Creates a subscription, unless that queue, or that consumer at that address, has one.</summary>
    /// <param name="caller">The caller, in whose tenant it is created.</param>
    /// <param name="wanted">The subscription that is asked for.</param>
    /// <param name="secret">For a webhook: the secret that it is signed with.</param>
    /// <param name="leaseToken">For a queue: the token of the process that continues with SNS at once.</param>
    /// <returns>The new one, or the existing one; none where the tenant has reached its limit.</returns>
    public async Task<(SubscriptionRow? Row, bool IsNew)> CreateAsync(
        Caller caller, NewSubscription wanted, string? secret, Guid? leaseToken, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
            var isFull = await transaction.ExecuteScalarAsync<long>(
                "SELECT count(*) FROM event_subscriptions WHERE tenant = @Tenant",
                new { caller.Tenant },
                cancellationToken) >= Most;
            // The indexes event_subscriptions_of_queue and event_subscriptions_of_hook make a second one
            // wait, and then do nothing.
            var made = await transaction.QuerySingleOrDefaultAsync<SubscriptionRow>(
                $"""
                INSERT INTO event_subscriptions (id, tenant, consumer, datasets, types, protocol, endpoint, content_type, state,
                                                 warnings, topic, after_position,
                                           lease_token, lease_until, next_try_at)
                SELECT @Id, @Tenant, @Consumer, @Datasets::text[], @Types::text[], @Protocol, @Endpoint, @ContentType, @State,
                       @Warnings, @Topic, head, @leaseToken::uuid, now() + @Lease::interval, now() + @Lease::interval
                  FROM event_feed
                 WHERE NOT @isFull
                ON CONFLICT DO NOTHING
                RETURNING {SubscriptionRow.Columns}
                """,
                new
                {
                    Id = SubscriptionId.New().Value,
                    caller.Tenant,
                    wanted.Consumer,
                    wanted.Datasets,
                    wanted.Types,
                    wanted.Protocol,
                    wanted.Endpoint,
                    wanted.ContentType,
                    State = leaseToken is null ? SubscriptionState.Active : SubscriptionState.Pending,
                    wanted.Warnings,
                    wanted.Topic,
                    isFull,
                    leaseToken,
                    Lease = leaseToken is null ? (TimeSpan?)null : Lease,
                },
                cancellationToken);
            if (made is not null)
            {
                if (secret is not null)
                {
                    await transaction.ExecuteAsync(
                        "INSERT INTO webhook_secrets (subscription_id, secret) VALUES (@Id, @secret)",
                        new { made.Id, secret },
                        cancellationToken);
                }

                await transaction.CommitAsync(cancellationToken);
                return (made, true);
            }

            var there = await transaction.QuerySingleOrDefaultAsync<SubscriptionRow>(
                $"""
                SELECT {SubscriptionRow.Columns}
                  FROM event_subscriptions
                 WHERE state <> 'disabled' AND protocol = @Protocol AND endpoint = @Endpoint
                   AND (protocol = 'sqs' OR (tenant = @Tenant AND consumer = @Consumer))
                """,
                new { wanted.Protocol, wanted.Endpoint, caller.Tenant, wanted.Consumer },
                cancellationToken);
            if (there is not null || isFull)
                return (there, false);
            // It was deleted in between.
        }
    }

    public async Task<SubscriptionRow?> FindAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        if (!SubscriptionId.TryParse(id, out var parsed))
            return null;
        return await catalog.QuerySingleOrDefaultAsync<SubscriptionRow>(
            $"""
            SELECT {SubscriptionRow.Columns}
              FROM event_subscriptions
             WHERE id = @Id AND tenant = @Tenant AND (@Consumer::text IS NULL OR consumer = @Consumer)
            """,
            new { Id = parsed.Value, caller.Tenant, Consumer = OwnOf(caller) },
            cancellationToken);
    }

    /// <summary>Newest first. Ids sort by creation, so that the last one of a page is where the next begins.</summary>
    public async Task<IReadOnlyList<SubscriptionRow>> ListAsync(
        Caller caller, string? consumer, SubscriptionId? before, int limit, CancellationToken cancellationToken)
    {
        // Uses the index event_subscriptions_by_tenant, or event_subscriptions_by_consumer.
        var own = OwnOf(caller);
        return await catalog.ListAsync<SubscriptionRow>(
            $"""
            SELECT {SubscriptionRow.Columns}
              FROM event_subscriptions
             WHERE tenant = @Tenant
                   {(own is null ? "" : "AND consumer = @own")}
                   {(consumer is null ? "" : "AND consumer = @consumer")}
                   {(before is null ? "" : "AND id < @Before")}
             ORDER BY id DESC
             LIMIT @limit
            """,
            new { caller.Tenant, own, consumer, Before = before?.Value, limit },
            cancellationToken);
    }

    /// <summary>Deletes what SNS does not know: a webhook with its log and secrets, or a queue that was never
    /// subscribed.</summary>
    /// <returns>False where SNS must remove it first: it is marked as deleting.</returns>
    public async Task<bool> DeleteAsync(SubscriptionRow row, CancellationToken cancellationToken)
    {
        if (row.IsWebhook || row.State == SubscriptionState.Disabled)
        {
            await catalog.ExecuteAsync("DELETE FROM event_subscriptions WHERE id = @Id", new { row.Id }, cancellationToken);
            return true;
        }

        await catalog.ExecuteAsync(
            """
            UPDATE event_subscriptions
               SET state = 'deleting', disabled_at = now(), next_try_at = now(), tries = 0
             WHERE id = @Id AND state IN ('pending', 'active')
            """,
            new { row.Id },
            cancellationToken);
        return false;
    }

    private static string? OwnOf(Caller caller) => caller.ActsForAll ? null : caller.Name;
}
