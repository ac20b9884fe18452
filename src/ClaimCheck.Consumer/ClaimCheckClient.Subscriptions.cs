using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer;

/// <content>Who gets events, and how.</content>
public sealed partial class ClaimCheckClient
{
    /// <summary>Subscribes a queue or a webhook to events.</summary>
    /// <param name="request">Whose it is, what it gets, and where.</param>
    /// <param name="cancellationToken">Ends the call. It is tried again by itself: an equal subscription is answered again, without its secret.</param>
    /// <returns>The subscription; for a new webhook with its <see cref="Subscription.Secret"/>, which is shown this once.</returns>
    /// <exception cref="RequestRejectedException">The service refused it; <see cref="RequestRejectedException.Errors"/> says why.</exception>
    public Task<Subscription> CreateSubscriptionAsync(SubscriptionRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return PostAsync<Subscription>("v1/subscriptions", null, request, cancellationToken);
    }

    /// <summary>Subscriptions, newest first.</summary>
    /// <param name="limit">At most so many, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the page before.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<Page<Subscription>> ListSubscriptionsAsync(
        int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        GetAsync<Page<Subscription>>(
            "v1/subscriptions" + Query(("limit", limit?.ToString()), ("cursor", cursor)), cancellationToken: cancellationToken);

    /// <summary>One subscription, without its secret.</summary>
    /// <exception cref="NotFoundException">No such subscription that this caller may see.</exception>
    public Task<Subscription> GetSubscriptionAsync(SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        GetAsync<Subscription>($"v1/subscriptions/{subscriptionId}", cancellationToken: cancellationToken);

    /// <summary>Ends a subscription. Events that are under way may still come.</summary>
    /// <exception cref="NotFoundException">No such subscription that this caller may see.</exception>
    public Task DeleteSubscriptionAsync(SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        new ServiceCall(HttpMethod.Delete, $"v1/subscriptions/{subscriptionId}").SendAsync(http, options, cancellationToken);

    /// <summary>Makes a new secret for a webhook.</summary>
    /// <returns>The subscription with its new <see cref="Subscription.Secret"/>, which is shown this once.</returns>
    /// <exception cref="NotFoundException">No such subscription that this caller may see.</exception>
    public Task<Subscription> RotateSecretAsync(SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        PostAsync<Subscription>($"v1/subscriptions/{subscriptionId}/secret", null, null, cancellationToken);

    /// <summary>Sends a test event to a webhook, now.</summary>
    /// <returns>What became of it.</returns>
    /// <exception cref="NotFoundException">No such subscription that this caller may see.</exception>
    public Task<WebhookTest> TestSubscriptionAsync(SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        PostAsync<WebhookTest>($"v1/subscriptions/{subscriptionId}/test", null, null, cancellationToken);

    /// <summary>The log of a webhook's deliveries, newest first.</summary>
    /// <param name="subscriptionId">The subscription.</param>
    /// <param name="limit">At most so many, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the page before.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="NotFoundException">No such subscription that this caller may see.</exception>
    public Task<Page<WebhookDelivery>> ListDeliveriesAsync(
        SubscriptionId subscriptionId, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        GetAsync<Page<WebhookDelivery>>(
            $"v1/subscriptions/{subscriptionId}/deliveries" + Query(("limit", limit?.ToString()), ("cursor", cursor)),
            cancellationToken: cancellationToken);

    /// <summary>Delivers an event once more to a webhook.</summary>
    /// <param name="subscriptionId">The subscription.</param>
    /// <param name="eventId">The event.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="NotFoundException">No such subscription, or no such event in its log.</exception>
    public Task<WebhookDelivery> DeliverAgainAsync(SubscriptionId subscriptionId, EventId eventId, CancellationToken cancellationToken = default) =>
        PostAsync<WebhookDelivery>($"v1/subscriptions/{subscriptionId}/deliveries/{eventId}", null, null, cancellationToken);
}
