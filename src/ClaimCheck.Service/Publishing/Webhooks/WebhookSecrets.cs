namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>The secrets that webhooks are signed with. A secret that was rotated also signs for a while, so that receivers can
/// change over.</summary>
internal sealed class WebhookSecrets(NpgsqlDataSource catalog, WebhookOptions options)
{
    // Each is a signature in one header. With more rotations than that, the oldest secret ends early.
    private const int MostOld = 9;

    /// <summary>All valid ones, the newest first.</summary>
    public Task<IReadOnlyList<string>> ActiveAsync(SubscriptionId subscription, CancellationToken cancellationToken) =>
        catalog.ListAsync<string>(
            """
            SELECT secret
              FROM webhook_secrets
             WHERE subscription_id = @Id AND (expires_at IS NULL OR expires_at > now())
             ORDER BY created_at DESC
            """,
            new { Id = subscription.Value },
            cancellationToken);

    /// <returns>The new secret; null where the subscription is gone.</returns>
    public async Task<string?> RotateAsync(SubscriptionId subscription, CancellationToken cancellationToken)
    {
        var secret = WebhookSignature.NewSecret();
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        // One rotation at a time: exactly one secret has no end.
        var found = await transaction.ExecuteScalarAsync<Guid?>(
            "SELECT id FROM event_subscriptions WHERE id = @Id FOR UPDATE", new { Id = subscription.Value }, cancellationToken);
        if (found is null)
            return null;
        await transaction.ExecuteAsync(
            """
            UPDATE webhook_secrets SET expires_at = now() + @SecretOverlap WHERE subscription_id = @Id AND expires_at IS NULL;
            DELETE FROM webhook_secrets
             WHERE subscription_id = @Id
               AND (expires_at <= now()
                    OR secret NOT IN (SELECT secret FROM webhook_secrets
                                       WHERE subscription_id = @Id ORDER BY created_at DESC LIMIT @MostOld));
            INSERT INTO webhook_secrets (subscription_id, secret) VALUES (@Id, @secret)
            """,
            new { Id = subscription.Value, secret, options.SecretOverlap, MostOld },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return secret;
    }
}
