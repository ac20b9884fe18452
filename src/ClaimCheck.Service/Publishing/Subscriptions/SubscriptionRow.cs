namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>A row of <c>subscriptions</c>, as Dapper reads it by <see cref="Columns"/>. Its endpoint may hold a secret.</summary>
internal sealed record SubscriptionRow
{
    public const string Columns =
        "id, tenant, consumer, datasets, types, protocol, endpoint, content_type, state, reason, warnings, topic, "
        + "subscription_arn, tries, created_at";

    public required Guid Id { get; init; }
    public required string Tenant { get; init; }
    public required string Consumer { get; init; }
    public string[]? Datasets { get; init; }
    public string[]? Types { get; init; }
    public required string Protocol { get; init; }
    public required string Endpoint { get; init; }
    public string? ContentType { get; init; }
    public required string State { get; init; }
    public string? Reason { get; init; }
    public required string[] Warnings { get; init; }
    public string? Topic { get; init; }
    public string? SubscriptionArn { get; init; }
    public required int Tries { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    public SubscriptionId SubscriptionId => new(Id);

    public bool IsWebhook => Protocol == SubscriptionProtocol.Webhook;

    public override string ToString() => $"{SubscriptionId} of {Consumer} by {Protocol}";
}

/// <summary>A request for a subscription that was found valid. Lists are sorted; null means all. A webhook's content type is null
/// for the default; a queue has the topic to which it is to be subscribed.</summary>
internal sealed record NewSubscription(
    string Consumer, string[]? Datasets, string[]? Types, string Protocol, string Endpoint, string? ContentType, string? Topic,
    string[] Warnings)
{
    public override string ToString() => $"a subscription of {Consumer} by {Protocol}";
}
