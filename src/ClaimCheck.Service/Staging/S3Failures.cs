using System.Net;
using Amazon.Runtime;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Staging;

/// <summary>Explains S3's errors: trying again may help, an operator must act, or the object does not exist.</summary>
internal sealed class S3Failures(string bucket)
{
    /// <summary>True for what a request to S3 throws, other than the caller's own cancellation.</summary>
    public static bool IsFailure(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        StagingException => false,
        OperationCanceledException => !cancellationToken.IsCancellationRequested, // a timeout
        AmazonClientException or AmazonServiceException or HttpRequestException or IOException or TimeoutException => true,
        _ => false,
    };

    /// <summary>For a call about an upload: S3 does not know it. Ceph answers NoSuchKey when it is asked for the parts.</summary>
    public static bool IsMissingUpload(Exception exception) => exception is AmazonServiceException { ErrorCode: "NoSuchUpload" or "NoSuchKey" };

    /// <summary>The server does not know the call.</summary>
    public static bool IsNotOffered(AmazonServiceException exception) =>
        exception.StatusCode is HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed
        || exception.ErrorCode is "NotImplemented" or "MethodNotAllowed" or "XNotImplemented";

    /// <param name="exception">What the SDK threw.</param>
    /// <param name="doing">What was tried, as in "read batches/…".</param>
    public StagingException Explain(Exception exception, string doing)
    {
        var failed = $"S3 could not {doing} in bucket {bucket}";
        if (exception is not AmazonServiceException refusal || (int)refusal.StatusCode == 0)
            return new StagingException($"{failed}: {Text(exception)}", isTransient: true, inner: exception);

        var code = string.IsNullOrEmpty(refusal.ErrorCode) ? ((int)refusal.StatusCode).ToString() : refusal.ErrorCode;
        return code switch
        {
            "NoSuchKey" or "NoSuchVersion" or "NoSuchUpload" or "NotFound" =>
                new StagingException($"{failed}: it is not there ({code}).", isTransient: false, isMissing: true, exception),
            // What an operator can fix is worth further tries.
            "NoSuchBucket" => Fixable("the bucket does not exist. Create it, or correct ClaimCheck:Staging:Bucket"),
            "AccessDenied" or "AllAccessDisabled" or "Forbidden" => Fixable("access is denied. Grant the service's credentials the rights on the bucket"),
            "ExpiredToken" or "TokenRefreshRequired" or "RequestExpired" => Fixable("the credentials have expired. Renew them"),
            "InvalidAccessKeyId" or "InvalidToken" or "InvalidClientTokenId" =>
                Fixable("the credentials are not accepted. Correct them"),
            "SignatureDoesNotMatch" => // bodies are signed too, in chunks
                Fixable("the signature is not accepted. The secret key is wrong, or something on the way alters requests"),
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" =>
                Fixable("the bucket is in another region. Correct ClaimCheck:Staging:Region or AWS_REGION"),
            _ => new StagingException($"{failed}: {Text(refusal)} ({code}).", IsTransient(refusal, code), inner: exception),
        };

        StagingException Fixable(string text) => new($"{failed}: {text} ({code}).", isTransient: true, inner: exception);
    }

    // 403 without a body is what a HEAD gets for any of the errors above.
    private static bool IsTransient(AmazonServiceException refusal, string code) =>
        (int)refusal.StatusCode is >= 500 or 408 or 409 or 429 or 403 or (>= 200 and < 300)
        || code is "RequestTimeout" or "RequestTimeTooSkewed" or "SlowDown" or "InternalError" or "BadDigest" or "XAmzContentSHA256Mismatch"
            or "IncompleteBody" or "OperationAborted";

    private static string Text(Exception exception) => exception switch
    {
        OperationCanceledException or TimeoutException => "it stalled",
        _ when NetworkFailure.IsOf(exception) => NetworkFailure.Of(exception, null).Short,
        { InnerException: { } inner and not AmazonServiceException } => $"{exception.Message.TrimEnd('.')}: {inner.Message.TrimEnd('.')}",
        _ => exception.Message.TrimEnd('.'),
    };
}
