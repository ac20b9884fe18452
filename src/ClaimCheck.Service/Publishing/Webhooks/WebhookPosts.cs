using System.Diagnostics;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Publishing.Subscriptions;

namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>One try: the event as it is now, signed with every secret that holds, posted.</summary>
internal sealed class WebhookPosts(FreshEvents events, WebhookSecrets secrets, WebhookSender sender, TimeProvider time)
{
    /// <returns>Null where it is a BulkReady whose batch is no longer ready: nothing was sent.</returns>
    public async Task<WebhookAnswer?> PostAsync(SubscriptionId subscription, Webhook hook, OutboxEvent row, CancellationToken cancellationToken)
    {
        // The secrets first: links are minted as late as can be.
        var holding = await secrets.ActiveAsync(subscription, cancellationToken);
        if (await events.MakeAsync(row, cancellationToken) is not { } envelope)
            return null;
        return await sender.SendAsync(
            hook, holding, envelope.Id.ToString(), row.TraceParent, JsonSerializer.SerializeToUtf8Bytes(envelope, ClaimCheckJson.Options), cancellationToken);
    }

    /// <summary>A test event: about the subscription itself, of a type that no batch has, tried once.</summary>
    public async Task<(Contracts.EventId Id, WebhookAnswer Answer)> TestAsync(SubscriptionRow subscription, CancellationToken cancellationToken)
    {
        var id = Contracts.EventId.New();
        var envelope = new BulkEvent
        {
            Id = id,
            Type = WebhookTest.EventType,
            Source = SubscriptionViews.PathOf(subscription.SubscriptionId),
            Subject = subscription.SubscriptionId.ToString(),
            Time = time.GetUtcNow(),
            Data = JsonSerializer.SerializeToElement(new { subscriptionId = subscription.SubscriptionId, consumer = subscription.Consumer }, ClaimCheckJson.Options),
        };
        var answer = await sender.SendAsync(
            new(subscription.Endpoint, subscription.ContentType),
            await secrets.ActiveAsync(subscription.SubscriptionId, cancellationToken),
            id.ToString(),
            $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00",
            JsonSerializer.SerializeToUtf8Bytes(envelope, ClaimCheckJson.Options),
            cancellationToken);
        return (id, answer);
    }
}
