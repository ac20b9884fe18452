using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer;

/// <content>Who gets events, and how.</content>
public sealed partial class ClaimCheckClient
{
    /// <summary>Subscribes a queue or a webhook to events.</summary>
    /// <param name="request">Whose it is, what it gets, and where.</param>
    /// <param name="cancellationToken">Ends the call. It is tried again by itself, so a second subscription may be left where an answer was lost.</param>
    /// <returns>The subscription; for a webhook with its <see cref="Subscription.Secret"/>, which is shown this once.</returns>
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

    /// <summary>Has a test event sent to a webhook; the log of deliveries says what became of it.</summary>
    /// <exception cref="NotFoundException">No such subscription that this caller may see.</exception>
    public Task TestSubscriptionAsync(SubscriptionId subscriptionId, CancellationToken cancellationToken = default) =>
        new ServiceCall(HttpMethod.Post, $"v1/subscriptions/{subscriptionId}/test").SendAsync(http, options, cancellationToken);

    /// <summary>The log of a webhook's deliveries, newest first.</summary>
    /// <typeparam name="T">What one entry is read as: a wire type, or <see cref="System.Text.Json.JsonElement"/>.</typeparam>
    /// <param name="subscriptionId">The subscription.</param>
    /// <param name="limit">At most so many, 1 to 1,000; 100 by default.</param>
    /// <param name="cursor">The <see cref="Page{T}.NextCursor"/> of the page before.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="NotFoundException">No such subscription that this caller may see.</exception>
    public Task<Page<T>> ListDeliveriesAsync<T>(
        SubscriptionId subscriptionId, int? limit = null, string? cursor = null, CancellationToken cancellationToken = default) =>
        GetAsync<Page<T>>(
            $"v1/subscriptions/{subscriptionId}/deliveries" + Query(("limit", limit?.ToString()), ("cursor", cursor)),
            cancellationToken: cancellationToken);
}
