using System.Diagnostics.CodeAnalysis;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Util.Internal;

namespace ClaimCheck.Aws.Wire;

/// <summary>Where a service is, and how it is called.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The client that owns it disposes the connections; Core's base class is not disposable.")]
internal sealed class WireConfig : ClientConfig
{
    private readonly string version;
    private readonly Connections connections;

    /// <param name="serviceId">AWS's id of the service: <c>SNS</c> or <c>SQS</c>.</param>
    /// <param name="version">Of its API.</param>
    /// <param name="options">Checked.</param>
    public WireConfig(string serviceId, string version, AwsMessagingOptions options)
        : base(new Defaults())
    {
        this.version = version;
        ServiceId = serviceId;
        AuthenticationServiceName = RegionEndpointServiceName;
        // Each of the two clears the other.
        if (Endpoint(serviceId, options) is { } url)
        {
            ServiceURL = url;
            AuthenticationRegion = options.Region ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION") ?? "us-east-1";
        }
        else if (options.Region is { } region)
        {
            RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        MaxErrorRetry = options.MaxAttempts - 1;
        // Core would add ten tries without a pause for resets; the connections below replace stale ones themselves.
        MaxStaleConnectionRetries = 0;
        // Per attempt, and beyond what AttemptHandler allows: that one sees bodies too.
        Timeout = options.Timeout + AttemptHandler.LongPoll + TimeSpan.FromSeconds(10);
        ConnectTimeout = options.ConnectTimeout;
        AllowAutoRedirect = false;
        // Core logs what servers say, and servers may quote messages. Callers log what they get: the exceptions say it all.
        DisableLogging = true;
        HttpClientFactory = connections = new Connections(options);
    }

    public override string RegionEndpointServiceName => ServiceId == "SNS" ? "sns" : "sqs";

    public override string ServiceVersion => version;

    public override string UserAgent { get; } = InternalSDKUtils.BuildUserAgentString("ClaimCheck.Aws", "0.2");

    // As both services' endpoint rules have it.
    public override Endpoint DetermineServiceOperationEndpoint(ServiceOperationEndpointParameters parameters)
    {
        if (ServiceURL is { } url)
            return new Endpoint(url);
        var host = RegionEndpointServiceName + (UseFIPSEndpoint ? "-fips" : "");
        var domain = !UseDualstackEndpoint ? RegionEndpoint.PartitionDnsSuffix
            : RegionEndpoint.PartitionName == "aws-cn" ? "api.amazonwebservices.com.cn"
            : "api.aws";
        return new Endpoint($"https://{host}.{RegionEndpoint.SystemName}.{domain}");
    }

    public void DisposeConnections() => connections.Dispose();

    private static string? Endpoint(string serviceId, AwsMessagingOptions options)
    {
        if (options.ServiceUrl is { } chosen)
            return chosen.ToString();
        return string.Equals(Variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true", StringComparison.OrdinalIgnoreCase)
            ? null
            : Variable("AWS_ENDPOINT_URL_" + serviceId) ?? Variable("AWS_ENDPOINT_URL");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private sealed class Defaults : IDefaultConfigurationProvider
    {
        public IDefaultConfiguration GetDefaultConfiguration(RegionEndpoint clientRegion, DefaultConfigurationMode? requestedConfigurationMode = null) =>
            new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard };
    }

    /// <summary>One pool of connections per client, in place of Core's shared ones, which have no deadline for bodies.</summary>
    private sealed class Connections(AwsMessagingOptions options) : HttpClientFactory, IDisposable
    {
        private readonly HttpClient client = new(new AttemptHandler(options.Timeout, new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            AllowAutoRedirect = false,
            UseCookies = false,
            Proxy = SystemProxy.Instance,
            // Addresses behind a name change; AWS's do all the time.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(50),
        }))
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };

        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

        public void Dispose() => client.Dispose();
    }
}
