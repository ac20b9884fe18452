namespace ClaimCheck.Contracts;

/// <summary>How a subscription's events are delivered.</summary>
public static class SubscriptionProtocol
{
    /// <summary>Through SNS to a queue.</summary>
    public const string Sqs = "sqs";

    /// <summary>As an HTTP POST, signed according to https://www.standardwebhooks.com.</summary>
    public const string Webhook = "webhook";
}

/// <summary>The media type of a webhook's events. The body is the same: a CloudEvent in JSON.</summary>
public static class WebhookContentType
{
    /// <summary><c>application/cloudevents+json</c>, as https://github.com/cloudevents/spec says.</summary>
    public const string Default = "application/cloudevents+json";

    /// <summary><c>application/json</c>, for receivers that parse nothing else.</summary>
    public const string Json = "application/json";

    /// <summary>All.</summary>
    public static IReadOnlyList<string> All { get; } = [Default, Json];
}

/// <summary>The states of a subscription, as written on the wire.</summary>
public static class SubscriptionState
{
    /// <summary>Events are sent.</summary>
    public const string Active = "active";

    /// <summary>For protocol <c>sqs</c>: SNS has not accepted it yet. The service keeps trying.</summary>
    public const string Pending = "pending";

    /// <summary>Nothing is sent; <see cref="Subscription.Reason"/> says why. To continue, subscribe again.</summary>
    public const string Disabled = "disabled";

    /// <summary>For protocol <c>sqs</c>: SNS has not removed it yet. The service keeps trying.</summary>
    public const string Deleting = "deleting";
}

/// <summary>A request for events: <c>POST /v1/subscriptions</c>.</summary>
public sealed record SubscriptionRequest
{
    /// <summary>The consumer: it gets events for all, and those for it alone.</summary>
    public required string Consumer { get; init; }

    /// <summary>Datasets; null or left out means all.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }

    /// <summary>Of <see cref="EventTypes.All"/>; null or left out means all.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>One of <see cref="SubscriptionProtocol"/>.</summary>
    public required string Protocol { get; init; }

    /// <summary>A queue's ARN, or the address for the POSTs.</summary>
    public required string Endpoint { get; init; }

    /// <summary>For webhooks: one of <see cref="WebhookContentType"/>; null or left out means
    /// <see cref="WebhookContentType.Default"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ContentType { get; init; }
}

/// <summary>What can be done next with a subscription. Addresses are absolute.</summary>
/// <param name="Self">The subscription itself: GET and DELETE.</param>
/// <param name="Deliveries">The log of deliveries, or null where there is none (<c>sqs</c>).</param>
/// <param name="Test">Where POST sends a test event, or null (<c>sqs</c>).</param>
/// <param name="Secret">Where POST rotates the secret, or null (<c>sqs</c>).</param>
public sealed record SubscriptionLinks(string Self, string? Deliveries, string? Test, string? Secret);

/// <summary>A subscription, as the service stores it.</summary>
public sealed record Subscription
{
    /// <summary>Its id.</summary>
    public required SubscriptionId SubscriptionId { get; init; }

    /// <summary>The consumer.</summary>
    public required string Consumer { get; init; }

    /// <summary>Datasets, or null for all.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }

    /// <summary>Types of events, or null for all.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>One of <see cref="SubscriptionProtocol"/>.</summary>
    public required string Protocol { get; init; }

    /// <summary>A queue's ARN, or the address for the POSTs.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The media type of a webhook's events, one of <see cref="WebhookContentType"/>; null for queues.</summary>
    public string? ContentType { get; init; }

    /// <summary>One of <see cref="SubscriptionState"/>.</summary>
    public required string State { get; init; }

    /// <summary>Why it is disabled, or null.</summary>
    public string? Reason { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What the operator should know, for example that a queue keeps messages for longer than a
    /// dataset keeps files.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>
    /// <c>whsec_…</c>: the key of the signatures. Shown once, to the caller that created the subscription or rotated it.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }

    /// <summary>What can be done next.</summary>
    public required SubscriptionLinks Links { get; init; }

    /// <summary>Id, consumer and protocol only: the secret must not be shown, and an address may contain one.</summary>
    public override string ToString() => $"{SubscriptionId} of {Consumer} by {Protocol}";
}

/// <summary>The states of a webhook delivery, as written on the wire.</summary>
public static class WebhookDeliveryState
{
    /// <summary>It has not been accepted yet, and is tried (again).</summary>
    public const string Pending = "pending";

    /// <summary>The endpoint answered 2xx.</summary>
    public const string Delivered = "delivered";

    /// <summary>All tries failed, or the endpoint answered 410. It can be delivered again by a call.</summary>
    public const string Failed = "failed";

    /// <summary>A BulkReady whose batch was no longer ready when it was due: nothing was sent.</summary>
    public const string Superseded = "superseded";
}

/// <summary>
/// A webhook delivery, one event on its way to one webhook: <c>GET /v1/subscriptions/{id}/deliveries</c>. Kept as long as the
/// event.
/// </summary>
public sealed record WebhookDelivery
{
    /// <summary>The event: the header <c>webhook-id</c> of each try.</summary>
    public required EventId EventId { get; init; }

    /// <summary>The event's short name; see <see cref="EventTypes"/>.</summary>
    public required string Type { get; init; }

    /// <summary>One of <see cref="WebhookDeliveryState"/>.</summary>
    public required string State { get; init; }

    /// <summary>How often it was tried.</summary>
    public required int Tries { get; init; }

    /// <summary>The HTTP status of the last answer; null before the first, and where the last try got none.</summary>
    public int? LastStatus { get; init; }

    /// <summary>
    /// Why the last try failed, or null: <c>status</c>, <c>redirect</c>, <c>timeout</c>, <c>unreachable</c>, <c>tls_failed</c>,
    /// <c>blocked_address</c>, <c>proxy_failed</c>, <c>invalid_answer</c>, <c>gone</c>; <c>internal_error</c>
    /// where nothing could be sent.
    /// </summary>
    public string? LastFailure { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was tried last, or null.</summary>
    public DateTimeOffset? LastTryAt { get; init; }

    /// <summary>When it is tried next, or null where it is not.</summary>
    public DateTimeOffset? NextTryAt { get; init; }

    /// <summary>When it was delivered, failed or was superseded; or null.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What can be done next.</summary>
    public required WebhookDeliveryLinks Links { get; init; }
}

/// <summary>What can be done next with a delivery. Addresses are absolute.</summary>
/// <param name="Redeliver">Where POST delivers the event once more.</param>
public sealed record WebhookDeliveryLinks(string Redeliver);

/// <summary>What happened to a test event: <c>POST /v1/subscriptions/{id}/test</c>.</summary>
public sealed record WebhookTest
{
    /// <summary>The CloudEvents type of a test event. Its data are the subscription's id and the consumer.</summary>
    public const string EventType = "claimcheck.test.v1";

    /// <summary>The event's id: the header <c>webhook-id</c>.</summary>
    public required EventId EventId { get; init; }

    /// <summary>Whether the endpoint answered 2xx in time.</summary>
    public required bool Delivered { get; init; }

    /// <summary>The HTTP status of the answer, or null where there was none.</summary>
    public int? Status { get; init; }

    /// <summary>Why it was not delivered, as <see cref="WebhookDelivery.LastFailure"/>; or null.</summary>
    public string? Failure { get; init; }

    /// <summary>How long it took.</summary>
    public required long DurationMilliseconds { get; init; }
}
