namespace ClaimCheck.Service.Publishing.Webhooks;

/// <summary>Settings below <c>ClaimCheck:Webhooks</c>.</summary>
internal sealed class WebhookOptions : IValidatableObject
{
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md,
    // "Deliverability and reliability"
    private static readonly TimeSpan[] Usual =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>How long an endpoint may take to answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The delays after failed tries, one after another; by default as Standard Webhooks proposes, over three
    /// days.</summary>
    public TimeSpan[]? Retries { get; init; }

    /// <summary>The longest delay that an endpoint can ask for with Retry-After.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long a rotated secret still signs.</summary>
    public TimeSpan SecretOverlap { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long every try must have failed before the subscription is disabled.</summary>
    public TimeSpan DisableAfter { get; init; } = TimeSpan.FromDays(5);

    /// <summary>How many deliveries one process tries at once.</summary>
    [Range(1, 1000)]
    public int Concurrency { get; init; } = 64;

    /// <summary>How many of them to one subscription; to one that fails, one.</summary>
    [Range(1, 1000)]
    public int PerSubscription { get; init; } = 4;

    /// <summary>Whether endpoints may be at private, loopback and link-local addresses, and without TLS.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>The proxy that all webhooks go through, <c>http://[user:password@]host[:port]</c>; none by default, whatever
    /// <c>HTTPS_PROXY</c> says. It resolves the endpoints' names. It may contain a password: it is never logged.</summary>
    public string? Proxy { get; init; }

    /// <summary>The proxy's address, without its password.</summary>
    internal Uri? ProxyAddress => Proxy is null ? null : new UriBuilder(Proxy) { UserName = "", Password = "" }.Uri;

    public IReadOnlyList<TimeSpan> Schedule => Retries ?? Usual;

    /// <summary>How long a try leases an event: minting links and recording the outcome take time too.</summary>
    public TimeSpan Lease => Timeout + TimeSpan.FromSeconds(40);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Timeout < TimeSpan.FromMilliseconds(100) || Timeout > TimeSpan.FromMinutes(1))
            yield return new($"ClaimCheck:Webhooks:Timeout is {Timeout}, but must be from 0.1 seconds to a minute: slow "
                + "endpoints would hold up others.");
        if (Schedule.Count > 50 || Schedule.Any(wait => wait < TimeSpan.Zero || wait > TimeSpan.FromDays(7)))
            yield return new("ClaimCheck:Webhooks:Retries must be at most 50 times of at most 7 days each: the feed would forget "
                + "an event before its last try.");
        if (LongestRetryAfter < TimeSpan.Zero || LongestRetryAfter > TimeSpan.FromDays(7))
            yield return new($"ClaimCheck:Webhooks:LongestRetryAfter is {LongestRetryAfter}, but must be from zero to 7 days: "
                + "the feed would forget an event before its last try.");
        if (SecretOverlap < TimeSpan.Zero || SecretOverlap > TimeSpan.FromDays(30))
            yield return new($"ClaimCheck:Webhooks:SecretOverlap is {SecretOverlap}, but must be from zero to 30 days: a secret "
                + "that leaked would hold for longer.");
        if (Proxy is not null && !IsProxy(Proxy))
            yield return new("ClaimCheck:Webhooks:Proxy must be http(s)://[user:password@]host[:port]: no webhook could be "
                + "delivered. (Its value is not shown: it may hold a password.)");
        if (DisableAfter < TimeSpan.FromSeconds(1))
            yield return new($"ClaimCheck:Webhooks:DisableAfter is {DisableAfter}, but must be a second or more: one failed try "
                + "would end a subscription.");
    }

    /// <summary>The proxy with its credentials, or null.</summary>
    internal IWebProxy? NewProxy()
    {
        if (ProxyAddress is not { } address)
            return null;
        var user = new Uri(Proxy!).UserInfo.Split(':', 2);
        return new WebProxy(address)
        {
            Credentials = user[0].Length == 0
                ? null
                : new NetworkCredential(Uri.UnescapeDataString(user[0]), user.Length > 1 ? Uri.UnescapeDataString(user[1]) : ""),
        };
    }

    /// <summary>When to try again after a number of failed tries; null when all are used up.</summary>
    /// <param name="failed">How many tries of this round have failed before this one.</param>
    /// <param name="retryAfter">What the endpoint asked for, or null.</param>
    /// <param name="chance">From 0 to 1: up to a tenth more (jitter), so that what failed together is not tried again
    /// together.</param>
    public TimeSpan? WaitAfter(int failed, TimeSpan? retryAfter, double chance)
    {
        if (failed >= Schedule.Count)
            return null;
        var wait = Schedule[failed] * (1 + (chance / 10));
        var asked = retryAfter > LongestRetryAfter ? LongestRetryAfter : retryAfter ?? TimeSpan.Zero;
        return asked > wait ? asked : wait;
    }

    private static bool IsProxy(string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is ("http" or "https")
        && address.Host.Length > 0
        && address.PathAndQuery == "/" && address.Fragment.Length == 0;
}
