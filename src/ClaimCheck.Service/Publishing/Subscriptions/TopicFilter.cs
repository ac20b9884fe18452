namespace ClaimCheck.Service.Publishing.Subscriptions;

/// <summary>A subscription as a filter policy of SNS, over the attributes that every message has.
/// https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html</summary>
internal static class TopicFilter
{
    /// <summary>SNS refuses policies with more combinations of values.</summary>
    public const int MostCombinations = 150;

    public static long Combinations(string[]? datasets, string[]? types) => 2L * (datasets?.Length ?? 1) * (types?.Length ?? 1);

    /// <summary>The consumer's events: those for all, and those for it alone.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyCollection<string>> Of(SubscriptionRow subscription)
    {
        var filter =
            new Dictionary<string, IReadOnlyCollection<string>>(StringComparer.Ordinal) { ["tenant"] = [subscription.Tenant] };
        if (subscription.Datasets is { } datasets)
            filter["dataset"] = datasets;
        if (subscription.Types is { } types)
            filter["type"] = types;
        filter["consumer"] = ["*", subscription.Consumer];
        return filter;
    }
}
