namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>One try: posts the event in its present state, signed with every valid secret.</summary>
internal sealed class WebhookPosts(FreshEvents events, WebhookSecrets secrets, WebhookSender sender)
{
    /// <returns>Null where it is a BulkReady whose batch is no longer ready: nothing was sent.</returns>
    public async Task<WebhookAnswer?> PostAsync(
        SubscriptionId subscription, Webhook hook, OutboxEvent row, CancellationToken cancellationToken)
    {
        // The secrets first: links are minted as late as possible.
        var holding = await secrets.ActiveAsync(subscription, cancellationToken);
        if (await events.MakeAsync(row, cancellationToken) is not { } envelope)
            return null;
        return await sender.SendAsync(
            hook, holding, envelope.Id.ToString(), row.TraceParent,
            JsonSerializer.SerializeToUtf8Bytes(envelope, ClaimCheckJson.Options), cancellationToken);
    }
}
