using System.Diagnostics.CodeAnalysis;
using Amazon;
using Amazon.Runtime.Endpoints;
using Amazon.Util.Internal;

namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>Where SNS is, and how it is called.</summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "The client that owns it disposes the connections; Core's base class is not disposable.")]
internal sealed class WireConfig : ClientConfig
{
    private readonly string version;
    private readonly Connections connections;

    /// <param name="version">Of its API.</param>
    /// <param name="options">Checked.</param>
    public WireConfig(string version, AwsMessagingOptions options)
        : base(new Defaults())
    {
        this.version = version;
        ServiceId = "SNS";
        AuthenticationServiceName = RegionEndpointServiceName;
        connections = Connections.For(this, ServiceId, options);
    }

    public override string RegionEndpointServiceName => "sns";

    public override string ServiceVersion => version;

    public override string UserAgent { get; } = InternalSDKUtils.BuildUserAgentString("ClaimCheck.Aws", "0.2");

    // According to the service's endpoint rules.
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

    private sealed class Defaults : IDefaultConfigurationProvider
    {
        public IDefaultConfiguration GetDefaultConfiguration(
            RegionEndpoint clientRegion, DefaultConfigurationMode? requestedConfigurationMode = null) =>
            new DefaultConfiguration { Name = DefaultConfigurationMode.Standard, RetryMode = RequestRetryMode.Standard };
    }
}
