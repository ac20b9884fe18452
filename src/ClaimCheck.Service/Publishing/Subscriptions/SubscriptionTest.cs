using System.Diagnostics;
using ClaimCheck.Service.Publishing.Webhooks;

namespace ClaimCheck.Service.Publishing.Subscriptions;

internal sealed class SubscriptionTest(WebhookSecrets secrets, WebhookSender sender, TimeProvider time)
{
    /// <summary>A test event: about the subscription itself, of a type that no batch has, tried once.</summary>
    public async Task<(EventId Id, WebhookAnswer Answer)> SendAsync(
        SubscriptionRow subscription, CancellationToken cancellationToken)
    {
        var id = EventId.New();
        var envelope = new BulkEvent
        {
            Id = id,
            Type = WebhookTest.EventType,
            Source = SubscriptionViews.PathOf(subscription.SubscriptionId),
            Subject = subscription.SubscriptionId.ToString(),
            Time = time.GetUtcNow(),
            Data = JsonSerializer.SerializeToElement(
                new { subscriptionId = subscription.SubscriptionId, consumer = subscription.Consumer }, ClaimCheckJson.Options),
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
