using Amazon.Runtime;
using Amazon.S3;
using ClaimCheck.Aws;

namespace ClaimCheck.Service.Staging;

/// <summary>How S3 is reached: endpoint, region, credentials and retries, from the settings and the SDK's own sources.</summary>
internal sealed class S3Connection : IDisposable
{
    private readonly AWSCredentials credentials;
    private readonly AmazonS3Client? publicClient;

    /// <param name="options">What the operator set.</param>
    /// <param name="credentials">Null: the SDK's usual chain.</param>
    public S3Connection(StagingOptions options, AWSCredentials? credentials = null)
    {
        Bucket = options.Bucket ?? throw new ArgumentException("Bucket is not set.", nameof(options));
        StallTimeout = options.StallTimeout;
        this.credentials = credentials ??= new CredentialChain();
        Config = Configure(options, options.ServiceUrl, credentials);
        Client = new AmazonS3Client(Config);
        if (options.PublicEndpoint is { } address)
            publicClient = new AmazonS3Client(Configure(options, address, credentials));
    }

    public string Bucket { get; }

    public TimeSpan StallTimeout { get; }

    public AmazonS3Config Config { get; }

    public IAmazonS3 Client { get; }

    /// <summary>The client whose endpoint an audience reaches. Signing makes no request.</summary>
    public IAmazonS3 SignerFor(LinkAudience audience) =>
        audience == LinkAudience.Consumer && publicClient is not null ? publicClient : Client;

    /// <returns>When the credentials that sign now expire, or null where they do not say.</returns>
    public async Task<DateTimeOffset?> CredentialsEndAsync(CancellationToken cancellationToken)
    {
        await credentials.GetCredentialsAsync().WaitAsync(cancellationToken); // fetched again where they are about to expire
        return credentials.Expiration is { } end ? new DateTimeOffset(end.ToUniversalTime()) : null;
    }

    public void Dispose()
    {
        Client.Dispose();
        publicClient?.Dispose();
        (credentials as IDisposable)?.Dispose();
    }

    private static AmazonS3Config Configure(StagingOptions options, string? address, AWSCredentials credentials)
    {
        var config = new AmazonS3Config { DefaultAWSCredentials = credentials, MaxErrorRetry = 4 };
        var isAws = S3Setup.Apply(config, address, options.Region, options.StallTimeout);
        config.ForcePathStyle = options.ForcePathStyle ?? !isAws;
        if (options.Checksums is { } configured)
            config.RequestChecksumCalculation = Enum.Parse<RequestChecksumCalculation>(configured);
        return config;
    }
}
