using Amazon;

namespace ClaimCheck.Aws;

/// <summary>How S3 is reached: the same for all its clients, so that what is tested with one endpoint is valid for all.</summary>
public static class S3Setup
{
    /// <summary>
    /// Sets address, region, timeouts, proxy and checksums. Checksums are <c>WHEN_REQUIRED</c> on every endpoint, including AWS's
    /// own: other servers refuse the SDK's trailing ones, and the content is protected by its signature. The settings
    /// <c>AWS_REQUEST_CHECKSUM_CALCULATION</c>, <c>AWS_RESPONSE_CHECKSUM_VALIDATION</c> and those of the profile are honoured.
    /// </summary>
    /// <param name="config">Of a client of S3.</param>
    /// <param name="serviceUrl">
    /// The address, where it is not AWS's own; null: what <c>AWS_ENDPOINT_URL_S3</c>, <c>AWS_ENDPOINT_URL</c> or the profile say.
    /// </param>
    /// <param name="region">
    /// The region to sign for; null: what the usual AWS settings say, else <c>us-east-1</c> for other servers than AWS's.
    /// </param>
    /// <param name="stallTimeout">A request, or a pause within an answer, that takes longer counts as stalled.</param>
    /// <param name="followsEnvironment">
    /// False: the variables above do not set the address, since the credentials belong to another place.
    /// </param>
    /// <returns>Whether the endpoint is AWS's own; others are called by path (<c>https://host/bucket/key</c>).</returns>
    public static bool Apply(
        ClientConfig config, string? serviceUrl, string? region, TimeSpan stallTimeout, bool followsEnvironment = true)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.RetryMode = RequestRetryMode.Standard; // exponential, with jitter and a quota
        config.Timeout = stallTimeout;
        config.ConnectTimeout = TimeSpan.FromSeconds(Math.Min(10, stallTimeout.TotalSeconds));
        config.SetWebProxy(SystemProxy.Instance);
        config.RequestChecksumCalculation =
            FallbackInternalConfigurationFactory.RequestChecksumCalculation ?? RequestChecksumCalculation.WHEN_REQUIRED;
        config.ResponseChecksumValidation =
            FallbackInternalConfigurationFactory.ResponseChecksumValidation ?? ResponseChecksumValidation.WHEN_REQUIRED;

        if (!followsEnvironment)
            config.IgnoreConfiguredEndpointUrls = true;
        var address = serviceUrl ?? (followsEnvironment ? config.ServiceURL : null); // reading it returns the environment's value
        region ??= config.RegionEndpoint?.SystemName;
        if (address is not null)
        {
            config.ServiceURL = address; // clears the region
            config.AuthenticationRegion = region ?? "us-east-1"; // other servers accept any
        }
        else if (region is not null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        return address is null || IsAws(new Uri(address).Host);
    }

    private static bool IsAws(string host) =>
        host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase);
}
