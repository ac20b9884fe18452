namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>Subscriptions as callers see them.</summary>
internal sealed class SubscriptionViews(PublicAddress address)
{
    public static string PathOf(SubscriptionId id) => $"/v1/subscriptions/{id}";

    public Subscription Show(SubscriptionRow row, string? secret = null)
    {
        var self = address.Url(PathOf(row.SubscriptionId));
        return new()
        {
            SubscriptionId = row.SubscriptionId,
            Consumer = row.Consumer,
            Datasets = row.Datasets,
            Types = row.Types,
            Protocol = row.Protocol,
            Endpoint = row.Endpoint,
            ContentType = row.IsWebhook ? row.ContentType ?? WebhookContentType.Default : null,
            State = row.State,
            Reason = row.Reason,
            CreatedAt = row.CreatedAt,
            Warnings = row.Warnings,
            Secret = secret,
            Links = row.IsWebhook
                ? new(self, self + "/deliveries", self + "/test", self + "/secret")
                : new(self, null, null, null),
        };
    }
}
