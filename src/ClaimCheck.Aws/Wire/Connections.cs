using Amazon;

namespace ClaimCheck.Aws.Wire;

/// <summary>One pool of connections per client, in place of Core's shared ones, which have no deadline for bodies.</summary>
internal sealed class Connections : HttpClientFactory, IDisposable
{
    private readonly HttpClient client;

    private Connections(AwsMessagingOptions options) =>
        client = new HttpClient(new AttemptHandler(options.Timeout, new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            AllowAutoRedirect = false,
            UseCookies = false,
            Proxy = SystemProxy.Instance,
            // Addresses behind a name change; those of AWS often do.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(50),
        }))
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };

    /// <summary>Sets the address of a service and how it is called, and gives it connections of its own.</summary>
    /// <param name="config">Not yet in use.</param>
    /// <param name="serviceId">AWS's id of the service: <c>SNS</c> or <c>SQS</c>.</param>
    /// <param name="options">Checked.</param>
    /// <returns>To be disposed with the client.</returns>
    public static Connections For(ClientConfig config, string serviceId, AwsMessagingOptions options)
    {
        // Each of the two clears the other.
        if (Endpoint(serviceId, options) is { } url)
        {
            config.ServiceURL = url;
            config.AuthenticationRegion = options.Region ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION")
                ?? "us-east-1";
        }
        else if (options.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        config.RetryMode = RequestRetryMode.Standard;
        config.MaxErrorRetry = options.MaxAttempts - 1;
        // Core would add ten tries without a delay for resets; these connections replace stale ones themselves.
        config.MaxStaleConnectionRetries = 0;
        // Per attempt, and longer than AttemptHandler's deadline: that one covers bodies too.
        config.Timeout = options.Timeout + AttemptHandler.LongPoll + TimeSpan.FromSeconds(10);
        config.ConnectTimeout = options.ConnectTimeout;
        config.AllowAutoRedirect = false;
        // Core logs what servers say, and servers may quote messages. Callers log what they get: the exceptions are complete.
        config.DisableLogging = true;
        var connections = new Connections(options);
        config.HttpClientFactory = connections;
        return connections;
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => client.Dispose();

    private static string? Endpoint(string serviceId, AwsMessagingOptions options)
    {
        if (options.ServiceUrl is { } chosen)
            return chosen.ToString();
        return string.Equals(Variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true", StringComparison.OrdinalIgnoreCase)
            ? null
            : Variable("AWS_ENDPOINT_URL_" + serviceId) ?? Variable("AWS_ENDPOINT_URL");
    }

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
