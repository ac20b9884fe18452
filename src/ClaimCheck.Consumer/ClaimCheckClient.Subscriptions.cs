namespace ClaimCheck.Consumer;

/// <content>The subscriptions to events.</content>
public sealed partial class ClaimCheckClient
{
    /// <summary>Subscribes a queue or a webhook to events.</summary>
    /// <param name="request">The consumer, its filters, and the endpoint.</param>
    /// <param name="cancellationToken">Cancels the call. It is retried by itself: an equal subscription is returned again,
    /// without its secret.</param>
    /// <returns>
    /// The subscription; for a new webhook with its <see cref="Subscription.Secret"/>, which is shown only once.
    /// </returns>
    /// <exception cref="RequestRejectedException">The service refused it;
    /// <see cref="RequestRejectedException.Errors"/> says why.</exception>
    public Task<Subscription> CreateSubscriptionAsync(SubscriptionRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return PostAsync<Subscription>("v1/subscriptions", null, request, cancellationToken);
    }

    /// <summary>Subscriptions, newest first.</summary>
    /// <param name="limit">The largest number of results, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the previous page.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public Task<Page<Subscription>> ListSubscriptionsAsync(
        int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        PageAsync<Subscription>("v1/subscriptions", limit, cursor, null, cancellationToken);

    /// <summary>One subscription, without its secret.</summary>
    /// <exception cref="NotFoundException">The subscription does not exist, or this caller may not see it.</exception>
    public Task<Subscription> GetSubscriptionAsync(
        SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        GetAsync<Subscription>($"v1/subscriptions/{subscriptionId}", cancellationToken: cancellationToken);

    /// <summary>Ends a subscription. Events that are under way may still arrive.</summary>
    /// <exception cref="NotFoundException">The subscription does not exist, or this caller may not see it.</exception>
    public Task DeleteSubscriptionAsync(SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        new ServiceCall(HttpMethod.Delete, $"v1/subscriptions/{subscriptionId}").SendAsync(http, options, cancellationToken);

    /// <summary>Creates a new secret for a webhook.</summary>
    /// <returns>The subscription with its new <see cref="Subscription.Secret"/>, which is shown only once.</returns>
    /// <exception cref="NotFoundException">The subscription does not exist, or this caller may not see it.</exception>
    public Task<Subscription> RotateSecretAsync(SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        PostAsync<Subscription>($"v1/subscriptions/{subscriptionId}/secret", null, null, cancellationToken);

    /// <summary>Sends a test event to a webhook, now.</summary>
    /// <returns>The outcome.</returns>
    /// <exception cref="NotFoundException">The subscription does not exist, or this caller may not see it.</exception>
    public Task<WebhookTest> TestSubscriptionAsync(
        SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        PostAsync<WebhookTest>($"v1/subscriptions/{subscriptionId}/test", null, null, cancellationToken);

    /// <summary>The log of a webhook's deliveries, newest first.</summary>
    /// <param name="subscriptionId">The subscription.</param>
    /// <param name="limit">The largest number of results, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the previous page.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="NotFoundException">The subscription does not exist, or this caller may not see it.</exception>
    public Task<Page<WebhookDelivery>> ListDeliveriesAsync(
        SubscriptionId subscriptionId, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        PageAsync<WebhookDelivery>($"v1/subscriptions/{subscriptionId}/deliveries", limit, cursor, null, cancellationToken);

    /// <summary>Delivers an event once more to a webhook.</summary>
    /// <param name="subscriptionId">The subscription.</param>
    /// <param name="eventId">The event.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="NotFoundException">The subscription or the event does not exist, or this caller
    /// may not see it.</exception>
    public Task<WebhookDelivery> DeliverAgainAsync(
        SubscriptionId subscriptionId, Contracts.EventId eventId, CancellationToken cancellationToken = default) =>
        PostAsync<WebhookDelivery>($"v1/subscriptions/{subscriptionId}/deliveries/{eventId}", null, null, cancellationToken);
}
