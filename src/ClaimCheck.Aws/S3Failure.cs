using ClaimCheck.Contracts;

namespace ClaimCheck.Aws;

/// <summary>What went wrong at S3, for those who decide what follows from it.</summary>
internal enum S3FailureKind
{
    /// <summary>No answer came.</summary>
    NoAnswer,

    /// <summary>The object or the upload does not exist.</summary>
    Missing,

    NoBucket,

    /// <summary>The credentials are wrong, or their rights do not suffice.</summary>
    Denied,

    OtherRegion,

    Full,

    /// <summary>What arrived is not what was sent.</summary>
    Altered,

    Other,
}

/// <summary>S3's errors, explained for operators: the same for all its clients.</summary>
/// <param name="Kind">What went wrong.</param>
/// <param name="Text">The reason, as the end of a sentence; it may say what to do.</param>
/// <param name="Code">S3's own code, or the status; null where no answer came.</param>
internal sealed record S3Failure(S3FailureKind Kind, string Text, string? Code)
{
    /// <summary>The reason, with the code.</summary>
    public string Sentence => Code is null ? $"{Text}." : $"{Text} ({Code}).";

    /// <summary>True for what a request to S3 throws, other than the caller's own cancellation.</summary>
    public static bool IsOf(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        OperationCanceledException => !cancellationToken.IsCancellationRequested, // a timeout
        AmazonClientException or AmazonServiceException or HttpRequestException or IOException or TimeoutException => true,
        _ => false,
    };

    /// <summary>For a call about an upload: S3 does not know it. Ceph answers NoSuchKey when it is asked for the parts.</summary>
    public static bool IsMissingUpload(Exception exception) =>
        exception is AmazonServiceException { ErrorCode: "NoSuchUpload" or "NoSuchKey" };

    /// <param name="exception">What the SDK threw.</param>
    /// <param name="bucket">The setting that names the bucket.</param>
    /// <param name="region">The setting that names its region.</param>
    public static S3Failure Of(Exception exception, string bucket, string region)
    {
        if (exception is not AmazonServiceException refusal || (int)refusal.StatusCode == 0)
            return new(S3FailureKind.NoAnswer, Reason(exception), null);
        var code = string.IsNullOrEmpty(refusal.ErrorCode) ? ((int)refusal.StatusCode).ToString() : refusal.ErrorCode;
        var (kind, text) = code switch
        {
            "NoSuchKey" or "NoSuchVersion" or "NoSuchUpload" or "NotFound" => (S3FailureKind.Missing, "it is not there"),
            "NoSuchBucket" => (S3FailureKind.NoBucket, $"the bucket does not exist. Create it, or correct {bucket}"),
            "AccessDenied" or "AllAccessDisabled" or "Forbidden" =>
                (S3FailureKind.Denied, "access is denied. Grant the credentials the rights on the bucket"),
            "ExpiredToken" or "TokenRefreshRequired" or "RequestExpired" =>
                (S3FailureKind.Denied, "the credentials have expired. Renew them"),
            "InvalidAccessKeyId" or "InvalidToken" or "InvalidClientTokenId" =>
                (S3FailureKind.Denied, "the credentials are not accepted. Correct them"),
            "SignatureDoesNotMatch" => // bodies are signed too, in chunks
                (S3FailureKind.Denied,
                    "the signature is not accepted. The secret key is wrong, or something on the way alters requests"),
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" =>
                (S3FailureKind.OtherRegion, $"the bucket is in another region. Correct {region}"),
            "QuotaExceeded" or "InsufficientCapacity" or "XMinioStorageFull" =>
                (S3FailureKind.Full, "the storage is full. Free space, or raise the quota"),
            "BadDigest" or "InvalidDigest" or "XAmzContentSHA256Mismatch" or "IncompleteBody" =>
                (S3FailureKind.Altered, "what arrived is not what was sent"),
            // 403 without a body is what a HEAD gets.
            _ when refusal.StatusCode == HttpStatusCode.Forbidden =>
                (S3FailureKind.Denied, string.IsNullOrEmpty(refusal.ErrorCode)
                    ? "it refuses. Check the credentials and their rights"
                    : Reason(refusal)),
            _ => (S3FailureKind.Other, Reason(refusal)),
        };
        return new(kind, text, code);
    }

    private static string Reason(Exception exception) => exception switch
    {
        OperationCanceledException or TimeoutException => "it stalled",
        _ when NetworkFailure.IsOf(exception) => NetworkFailure.Of(exception, null).Short,
        { InnerException: { } inner and not AmazonServiceException } =>
            $"{exception.Message.TrimEnd('.')}: {inner.Message.TrimEnd('.')}",
        _ => exception.Message.TrimEnd('.'),
    };
}
