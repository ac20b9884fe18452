using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using ClaimCheck.Aws;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Locations;

/// <summary>How a bucket is reached, and what its errors mean.</summary>
internal static class S3Access
{
    public static AmazonS3Client Connect(LocationOptions options)
    {
        var config = new AmazonS3Config { MaxErrorRetry = 2 }; // whole calls are retried by the location
        // A location has an address of its own: AWS_ENDPOINT_URL, which may be staging's, is followed only where it has no keys
        // of its own.
        var isAws = S3Setup.Apply(config, options.ServiceUrl, options.Region, options.StallTimeout, followsEnvironment: options.AccessKey is null);
        config.ForcePathStyle = options.ForcePathStyle ?? !isAws;
        if (options.AccessKey is null)
            return new AmazonS3Client(config);
        AWSCredentials credentials = options.SessionToken is null
            ? new BasicAWSCredentials(options.AccessKey, options.SecretKey)
            : new SessionAWSCredentials(options.AccessKey, options.SecretKey, options.SessionToken);
        return new AmazonS3Client(credentials, config);
    }

    /// <summary>True for what a request to S3 throws, other than the caller's own cancellation.</summary>
    public static bool IsFailure(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        LocationException => false,
        OperationCanceledException => !cancellationToken.IsCancellationRequested, // a timeout
        AmazonClientException or AmazonServiceException or HttpRequestException or IOException or TimeoutException => true,
        _ => false,
    };

    public static LocationException Explain(Exception exception, string failed)
    {
        if (exception is not AmazonServiceException refusal || (int)refusal.StatusCode == 0)
            return new LocationException(LocationFailure.Away, $"{failed}: {Text(exception)}.", inner: exception);
        var code = string.IsNullOrEmpty(refusal.ErrorCode) ? ((int)refusal.StatusCode).ToString() : refusal.ErrorCode;
        return code switch
        {
            "NoSuchBucket" => Failure(LocationFailure.Away, "the bucket does not exist. Create it, or correct Bucket"),
            "AccessDenied" or "AllAccessDisabled" or "Forbidden" => Failure(LocationFailure.Denied, "access is denied. Grant the credentials the rights on the bucket"),
            "ExpiredToken" or "TokenRefreshRequired" or "RequestExpired" => Failure(LocationFailure.Denied, "the credentials have expired. Renew them"),
            "InvalidAccessKeyId" or "InvalidToken" or "InvalidClientTokenId" => Failure(LocationFailure.Denied, "the credentials are not accepted. Correct them"),
            "SignatureDoesNotMatch" => Failure(LocationFailure.Denied, "the signature is not accepted. The secret key is wrong, or something on the way alters requests"),
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" =>
                Failure(LocationFailure.Away, "the bucket is in another region. Correct Region"),
            "QuotaExceeded" or "InsufficientCapacity" or "XMinioStorageFull" => Failure(LocationFailure.Full, "there is no space left. Free some, or raise the quota"),
            "BadDigest" or "InvalidDigest" or "XAmzContentSHA256Mismatch" or "IncompleteBody" => Failure(LocationFailure.Altered, "what arrived is not what was sent"),
            _ when refusal.StatusCode == HttpStatusCode.Forbidden => Failure(LocationFailure.Denied, "it refuses. Check the credentials and their rights"),
            _ => Failure(LocationFailure.Away, Text(refusal)),
        };

        LocationException Failure(LocationFailure reason, string text) => new(reason, $"{failed}: {text} ({code}).", inner: exception);
    }

    private static string Text(Exception exception) => exception switch
    {
        OperationCanceledException or TimeoutException => "it stalled",
        _ when NetworkFailure.IsOf(exception) => NetworkFailure.Of(exception, null).Short,
        { InnerException: { } inner and not AmazonServiceException } => $"{exception.Message.TrimEnd('.')}: {inner.Message.TrimEnd('.')}",
        _ => exception.Message.TrimEnd('.'),
    };
}
