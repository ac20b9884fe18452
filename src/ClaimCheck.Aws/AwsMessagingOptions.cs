namespace ClaimCheck.Aws;

/// <summary>
/// How SNS and SQS are reached. Everything is optional: what is not set is found as all
/// AWS SDKs find it (https://docs.aws.amazon.com/sdkref/latest/guide/overview.html).
/// </summary>
public sealed class AwsMessagingOptions
{
    /// <summary>
    /// The endpoint's address. By default <c>AWS_ENDPOINT_URL_SNS</c> or <c>AWS_ENDPOINT_URL_SQS</c>, else
    /// <c>AWS_ENDPOINT_URL</c> (neither where <c>AWS_IGNORE_CONFIGURED_ENDPOINT_URLS</c> is true), else the profile's, else
    /// AWS's own in the region.
    /// </summary>
    public Uri? ServiceUrl { get; init; }

    /// <summary>
    /// The region, which requests are also signed for; for example <c>eu-central-1</c>. By default <c>AWS_REGION</c>,
    /// <c>AWS_DEFAULT_REGION</c>, the profile's, the instance's; for a configured endpoint, where none is set, <c>us-east-1</c>.
    /// </summary>
    public string? Region { get; init; }

    /// <summary>
    /// The credentials that sign requests. By default the credential chain: environment, profile, web identity, container,
    /// instance.
    /// </summary>
    public AWSCredentials? Credentials { get; init; }

    /// <summary>
    /// How long one attempt may take, to the answer's last byte; a receive may take the 20 seconds of a long poll more.
    /// 10 seconds by default; 100 milliseconds to 5 minutes.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long connecting may take, in each attempt. 3 seconds by default; 10 milliseconds to 1 minute.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How often a call is tried before it fails, the first time included. 3 by default (AWS's standard retry mode); 1 to 10.
    /// Between attempts there is a delay with jitter that grows up to 20 seconds.
    /// </summary>
    public int MaxAttempts { get; init; } = 3;

    internal void Validate()
    {
        if (ServiceUrl is not null && ServiceUrl is not { IsAbsoluteUri: true, Scheme: "http" or "https", UserInfo.Length: 0 })
            throw Invalid(nameof(ServiceUrl), "that address", "must be an absolute http or https address without a user",
                "no endpoint could be reached");
        if (Region is { } region && (region.Length is 0 or > 63 || region.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-')))
            throw Invalid(
                nameof(Region), $"'{region}'", "must be letters, digits and hyphens", "no endpoint or signature would be right");
        if (Timeout < TimeSpan.FromMilliseconds(100) || Timeout > TimeSpan.FromMinutes(5))
            throw Invalid(nameof(Timeout), $"{Timeout}", "must be 100 milliseconds to 5 minutes",
                "answers would be given up on too early, or waited for in vain");
        if (ConnectTimeout < TimeSpan.FromMilliseconds(10) || ConnectTimeout > TimeSpan.FromMinutes(1))
            throw Invalid(nameof(ConnectTimeout), $"{ConnectTimeout}", "must be 10 milliseconds to 1 minute",
                "an unreachable endpoint would be noticed too late, or a reachable one would never be reached");
        if (MaxAttempts is < 1 or > 10)
            throw Invalid(
                nameof(MaxAttempts), $"{MaxAttempts}", "must be 1 to 10", "a call would be tried never, or for minutes");
    }

    private static ArgumentException Invalid(string name, string value, string rule, string consequence) =>
        new($"{nameof(AwsMessagingOptions)}.{name} is {value}, but {rule}: {consequence}.", name);
}
