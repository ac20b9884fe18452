using Amazon.Runtime;
using ClaimCheck.Aws;

namespace ClaimCheck.Service.Staging;

/// <summary>Explains S3's errors: trying again may help, an operator must act, or the object does not exist.</summary>
internal sealed class S3Failures(string bucket)
{
    /// <summary>True for what a request to S3 throws, other than the caller's own cancellation.</summary>
    public static bool IsFailure(Exception exception, CancellationToken cancellationToken) =>
        exception is not StagingException && S3Failure.IsOf(exception, cancellationToken);

    /// <summary>The server does not know the call.</summary>
    public static bool IsNotOffered(AmazonServiceException exception) =>
        exception.StatusCode is HttpStatusCode.NotImplemented or HttpStatusCode.MethodNotAllowed
        || exception.ErrorCode is "NotImplemented" or "MethodNotAllowed" or "XNotImplemented";

    /// <param name="exception">What the SDK threw.</param>
    /// <param name="doing">What was tried, as in "read batches/…".</param>
    public StagingException Explain(Exception exception, string doing)
    {
        var failure = S3Failure.Of(
            exception, $"{StagingOptions.Section}:Bucket", $"{StagingOptions.Section}:Region or AWS_REGION");
        // What an operator can fix is worth further tries.
        var isTransient = failure.Kind is S3FailureKind.NoAnswer or S3FailureKind.NoBucket or S3FailureKind.Denied
            or S3FailureKind.OtherRegion
            || (failure.Kind != S3FailureKind.Missing && IsTransient((AmazonServiceException)exception, failure.Code!));
        return new($"S3 could not {doing} in bucket {bucket}: {failure.Sentence}", isTransient,
            failure.Kind == S3FailureKind.Missing, exception);
    }

    /// <summary>Calls S3, and explains what it throws.</summary>
    public async Task<T> ExplainedAsync<T>(Func<Task<T>> call, string doing, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (IsFailure(e, cancellationToken))
        {
            throw Explain(e, doing);
        }
    }

    private static bool IsTransient(AmazonServiceException refusal, string code) =>
        (int)refusal.StatusCode is >= 500 or 408 or 409 or 429 or 403 or (>= 200 and < 300)
        || code is "RequestTimeout" or "RequestTimeTooSkewed" or "SlowDown" or "InternalError" or "BadDigest"
            or "XAmzContentSHA256Mismatch"
            or "IncompleteBody" or "OperationAborted";
}
