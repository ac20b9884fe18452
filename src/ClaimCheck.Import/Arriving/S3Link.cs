using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace ClaimCheck.Import.Arriving;

/// <summary>How S3 is reached: from the settings and the SDK's own sources.</summary>
internal static class S3Link
{
    public const string Scheme = "s3://";

    /// <returns>False where the text is no <c>s3://bucket/prefix</c>.</returns>
    public static bool TryParse(string text, out string bucket, out string prefix)
    {
        (bucket, prefix) = ("", "");
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
            return false;
        var parts = text[Scheme.Length..].Split('/', 2);
        (bucket, prefix) = (parts[0], parts.Length > 1 ? parts[1] : "");
        return bucket.Length is >= 3 and <= 63;
    }

    /// <summary>The caller disposes it.</summary>
    public static AmazonS3Client Connect(ArrivalOptions options)
    {
        var config = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard, // exponential, with jitter and a quota
            MaxErrorRetry = 4,
            Timeout = TimeSpan.FromSeconds(60),
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        // Reading ServiceURL answers what AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile says.
        var address = options.ServiceUrl ?? config.ServiceURL;
        var region = options.Region ?? config.RegionEndpoint?.SystemName;
        if (address is not null)
        {
            config.ServiceURL = address; // clears the region
            config.AuthenticationRegion = region ?? "us-east-1"; // other servers take any
        }
        else if (region is not null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        var isAws = address is null || new Uri(address).Host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase)
            || new Uri(address).Host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase);
        config.ForcePathStyle = !isAws;
        // Other servers reject the SDK's own checksums; what is fetched is told by its ETag and length.
        if (!isAws && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("AWS_REQUEST_CHECKSUM_CALCULATION")))
            config.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("AWS_RESPONSE_CHECKSUM_VALIDATION")))
            config.ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED;
        return new AmazonS3Client(config);
    }
}
