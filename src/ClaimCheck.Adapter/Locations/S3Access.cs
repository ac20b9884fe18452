using Amazon.Runtime;
using Amazon.S3;

namespace ClaimCheck.Adapter.Locations;

/// <summary>How a bucket is reached, and what its errors mean.</summary>
internal static class S3Access
{
    public static AmazonS3Client Connect(LocationOptions options)
    {
        var config = new AmazonS3Config { MaxErrorRetry = 2 }; // whole calls are retried by the location
        // A location has an address of its own: AWS_ENDPOINT_URL, which may be staging's, is followed only where it has no keys
        // of its own.
        var isAws = S3Setup.Apply(
            config, options.ServiceUrl, options.Region, options.StallTimeout, followsEnvironment: options.AccessKey is null);
        config.ForcePathStyle = options.ForcePathStyle ?? !isAws;
        if (options.AccessKey is null)
            return new AmazonS3Client(config);
        AWSCredentials credentials = options.SessionToken is null
            ? new BasicAWSCredentials(options.AccessKey, options.SecretKey)
            : new SessionAWSCredentials(options.AccessKey, options.SecretKey, options.SessionToken);
        return new AmazonS3Client(credentials, config);
    }

    /// <summary>True for what a request to S3 throws, other than the caller's own cancellation.</summary>
    public static bool IsFailure(Exception exception, CancellationToken cancellationToken) =>
        exception is not LocationException && S3Failure.IsOf(exception, cancellationToken);

    public static LocationException Explain(Exception exception, string failed)
    {
        var failure = S3Failure.Of(exception, "Bucket", "Region");
        var reason = failure.Kind switch
        {
            S3FailureKind.Denied => LocationFailure.Denied,
            S3FailureKind.Full => LocationFailure.Full,
            S3FailureKind.Altered => LocationFailure.Altered,
            _ => LocationFailure.Away,
        };
        return new(reason, $"{failed}: {failure.Sentence}", inner: exception);
    }
}
