using System.Text.Json.Serialization;

namespace ClaimCheck.Contracts;

/// <summary>How a subscription's events travel.</summary>
public static class SubscriptionProtocol
{
    /// <summary>Through SNS to a queue.</summary>
    public const string Sqs = "sqs";

    /// <summary>As an HTTP POST, signed as https://www.standardwebhooks.com says.</summary>
    public const string Webhook = "webhook";
}

/// <summary>Who wants which events, and how: <c>POST /v1/subscriptions</c>.</summary>
public sealed record SubscriptionRequest
{
    /// <summary>The consumer: it gets what is for all, and what is for it alone.</summary>
    public required string Consumer { get; init; }

    /// <summary>Datasets; null or left out means all.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }

    /// <summary>Of <see cref="EventTypes.All"/>; null or left out means all.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>One of <see cref="SubscriptionProtocol"/>.</summary>
    public required string Protocol { get; init; }

    /// <summary>A queue's ARN, or the address that is posted to.</summary>
    public required string Endpoint { get; init; }
}

/// <summary>What can be done next with a subscription. Addresses are absolute.</summary>
/// <param name="Self">The subscription itself: GET and DELETE.</param>
/// <param name="Deliveries">The log of deliveries, or null where there is none (<c>sqs</c>).</param>
/// <param name="Test">Where POST sends a test event, or null (<c>sqs</c>).</param>
/// <param name="Secret">Where POST rotates the secret, or null (<c>sqs</c>).</param>
public sealed record SubscriptionLinks(string Self, string? Deliveries, string? Test, string? Secret);

/// <summary>A subscription, as the service keeps it.</summary>
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

    /// <summary>A queue's ARN, or the address that is posted to.</summary>
    public required string Endpoint { get; init; }

    /// <summary><c>active</c>, or <c>disabled</c>: the endpoint answered 410.</summary>
    public required string State { get; init; }

    /// <summary>Why it is disabled, or null.</summary>
    public string? Reason { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What the operator should know, for example that a queue keeps messages for longer than a dataset keeps files.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary><c>whsec_…</c>: what signatures are made with. Shown once, to who made the subscription or rotated it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Secret { get; init; }

    /// <summary>What can be done next.</summary>
    public required SubscriptionLinks Links { get; init; }

    /// <summary>Id, consumer and protocol: the secret is a secret, and an address may hold one.</summary>
    public override string ToString() => $"{SubscriptionId} of {Consumer} by {Protocol}";
}
