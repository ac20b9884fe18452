namespace ClaimCheck.Aws.Wire;

/// <summary>An error in the form of a protocol.</summary>
/// <param name="Code">The code, without namespace and prefix; null where the answer holds none, as from a proxy.</param>
/// <param name="Words">The server's words, or null.</param>
/// <param name="RequestId">The server's id of the request, or null.</param>
internal sealed record WireError(string? Code, string? Words, string? RequestId = null);

/// <summary>An error on its way through Core's pipeline: it gives the retry policy what Core's own lists lack.</summary>
internal sealed class WireException(WireError error, Exception? inner, HttpStatusCode status)
    : AmazonServiceException(
        // Not the server's words: this message may be logged.
        error.Code ?? $"HTTP {(int)status}", inner, ErrorType.Unknown, error.Code, error.RequestId, status)
{
    public WireError Error => error;

    public AwsFailure Kind { get; } = Failures.KindOf(error, status);

    public override RetryableDetails? Retryable =>
        Kind switch
        {
            AwsFailure.Throttled => new RetryableDetails(throttling: true),
            AwsFailure.Unavailable => new RetryableDetails(throttling: false),
            _ => null,
        };
}
