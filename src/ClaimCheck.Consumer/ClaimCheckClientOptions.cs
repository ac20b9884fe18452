namespace ClaimCheck.Consumer;

/// <summary>How a <see cref="ClaimCheckClient"/> reaches its service.</summary>
public sealed class ClaimCheckClientOptions
{
    internal static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(10);

    /// <summary>The service's address, for example <c>https://exports.example/</c>; http or https, a path is kept.</summary>
    public required Uri BaseAddress { get; init; }

    /// <summary>
    /// The caller's key, or null where the service requires none. It is sent to <see cref="BaseAddress"/> only:
    /// never to a link, and never to an address that an event names.
    /// </summary>
    public string? ApiKey { get; init; }

    /// <summary>
    /// The consumer's name, which an administrator's key may act for (<c>ClaimCheck-Consumer</c>); null otherwise.
    /// </summary>
    public string? Consumer { get; init; }

    /// <summary>How long one request may take, in addition to the time that it was told to wait. 30 seconds by default.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often one request is tried before it fails; 4 by default.</summary>
    public int MaxAttempts { get; init; } = 4;

    /// <summary>
    /// The delay before the second try, doubled for each further one, with jitter; 200 milliseconds by default.
    /// </summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    internal void Validate()
    {
        if (BaseAddress is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            throw Invalid(nameof(BaseAddress), BaseAddress is { IsAbsoluteUri: true } uri ? uri.Scheme + ":" : "relative",
                "must be an absolute http or https address", "exports can't be requested elsewhere");
        }
        if (BaseAddress.UserInfo.Length > 0 || BaseAddress.Query.Length > 0 || BaseAddress.Fragment.Length > 0)
        {
            throw Invalid(nameof(BaseAddress), "an address with user, query or fragment", "must be host and path only",
                "the rest would be lost, or sent with each call");
        }
        if (ApiKey is not null && (ApiKey.Length == 0 || ApiKey.Any(c => c is <= ' ' or >= '\x7f')))
        {
            throw Invalid(nameof(ApiKey), $"{ApiKey.Length} characters", "must be visible ASCII, or null",
                "it can't be sent in a header");
        }
        if (Consumer is not null && (Consumer.Length == 0 || Consumer.Any(c => c is <= ' ' or >= '\x7f')))
            throw Invalid(nameof(Consumer), $"'{Consumer}'", "must be visible ASCII, or null", "it can't be sent in a header");
        if (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromHours(1))
            throw Invalid(
                nameof(Timeout), $"{Timeout}", "must be more than zero, at most an hour", "every request would time out");
        if (MaxAttempts is < 1 or > 100)
            throw Invalid(nameof(MaxAttempts), $"{MaxAttempts}", "must be 1 to 100", "a request is tried never, or for ever");
        if (RetryDelay < TimeSpan.Zero || RetryDelay > TimeSpan.FromMinutes(1))
            throw Invalid(nameof(RetryDelay), $"{RetryDelay}", "must be zero to a minute", "doubled, the delays would not end");
    }

    private static ArgumentException Invalid(string name, string value, string rule, string consequence) =>
        new($"{nameof(ClaimCheckClientOptions)}.{name} is {value}, but {rule}: {consequence}.", name);
}
