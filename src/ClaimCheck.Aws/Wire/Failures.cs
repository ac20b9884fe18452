using System.Text.RegularExpressions;

namespace ClaimCheck.Aws.Wire;

/// <summary>Classifies failures, and describes them without secrets.</summary>
internal static partial class Failures
{
    // Both protocols' spellings. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html,
    // https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html, and the pages of the calls.
    private static readonly Dictionary<string, AwsFailure> Kinds = new (AwsFailure Kind, string[] Codes)[]
    {
        (AwsFailure.Throttled,
        [
            "Throttling", "ThrottlingException", "Throttled", "ThrottledException", "RequestThrottled",
            "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException", "BandwidthLimitExceeded",
            "SlowDown", "PriorRequestNotComplete", "KmsThrottled", "KMSThrottling", "KMSThrottlingException",
            "KMS.ThrottlingException",
            // More than 120,000 messages of a queue are in flight: transient, since they will be deleted.
            "OverLimit",
        ]),
        (AwsFailure.Unavailable,
        [
            "InternalError", "InternalErrorException", "InternalFailure", "ServiceUnavailable", "RequestTimeout",
            "RequestTimeoutException", "ConcurrentAccess", "ConcurrentAccessException",
        ]),
        (AwsFailure.NotFound,
        [
            "QueueDoesNotExist", "NonExistentQueue", "NotFound", "NotFoundException", "ResourceNotFound",
            "ResourceNotFoundException",
        ]),
        (AwsFailure.AccessDenied,
        [
            "AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized",
            "OptInRequired", "KmsAccessDenied", "KMSAccessDeniedException", "KMS.AccessDeniedException", "InvalidSecurity",
        ]),
        (AwsFailure.CredentialsExpired,
        [
            "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
        ]),
        (AwsFailure.CredentialsRejected,
        [
            "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch",
            "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken",
            "MissingAuthenticationTokenException", "AuthFailure",
            // Core corrects its clock and tries again, so these are seen only where that did not help.
            "RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture",
        ]),
    }.SelectMany(each => each.Codes, (each, code) => (each.Kind, code))
        .ToDictionary(each => each.code, each => each.Kind, StringComparer.OrdinalIgnoreCase);

    public static bool IsTransient(AwsFailure kind) =>
        kind is AwsFailure.Throttled or AwsFailure.Unavailable or AwsFailure.Unreachable or AwsFailure.Unreadable
            or AwsFailure.CredentialsExpired;

    /// <summary>Why one entry of a batch failed.</summary>
    public static AwsFailure KindOf(string? code, bool isSendersFault) =>
        KindOf(new WireError(code, Words: null), status: null) switch
        {
            // Not one of the known codes: whether the sender is at fault decides.
            AwsFailure.Invalid when !isSendersFault => AwsFailure.Unavailable,
            var kind => kind,
        };

    public static AwsFailure KindOf(WireError error, HttpStatusCode? status)
    {
        if (error.Code is { } code && Kinds.TryGetValue(code, out var kind))
            return kind;
        return (int?)status switch
        {
            429 => AwsFailure.Throttled,
            408 or >= 500 => AwsFailure.Unavailable,
            401 or 403 => AwsFailure.AccessDenied,
            404 => AwsFailure.NotFound,
            _ => AwsFailure.Invalid,
        };
    }

    /// <summary>The exception for the caller, from what came out of the pipeline.</summary>
    /// <param name="thrown">What it was.</param>
    /// <param name="call">The service and the call, for example <c>SNS Publish</c>.</param>
    /// <param name="on">The topic, subscription or queue it is about, or null.</param>
    /// <param name="holdsMessages">Whether the server might quote a message: then its words are not repeated.</param>
    public static AwsMessagingException From(Exception thrown, string call, string? on, bool holdsMessages)
    {
        var what = on is null ? call : $"{call} on {on}";
        return thrown switch
        {
            WireException e => new AwsMessagingException(
                e.Kind, CodeOf(e), $"{what} failed with {CodeOf(e)}{Quoted(e, holdsMessages)}.", IsTransient(e.Kind),
                e.StatusCode, e.RequestId),
            AmazonUnmarshallingException e => new AwsMessagingException(
                AwsFailure.Unreadable, "Unreadable",
                $"{what} got an unreadable answer: "
                + $"{(e.InnerException as UnreadableException)?.Message ?? "not of the protocol"}.",
                isTransient: true, e.StatusCode, e.RequestId),
            // From another service, which provides credentials. Its words may quote a token, and so does the inner exception.
            AmazonServiceException e => new AwsMessagingException(
                AwsFailure.CredentialsRejected, "NoCredentials",
                $"{what} was not sent: its credentials could not be obtained ({e.ErrorCode ?? "no code"}).",
                IsTransient(KindOf(new WireError(e.ErrorCode, Words: null), e.StatusCode)), e.StatusCode, e.RequestId),
            // What Core reports about missing credentials and regions.
            AmazonClientException e => new AwsMessagingException(
                AwsFailure.CredentialsRejected, "NoCredentials", $"{what} was not sent: {e.Message}",
                isTransient: e.InnerException is HttpRequestException or IOException or OperationCanceledException),
            _ => Unreachable(what, thrown),
        };
    }

    private static AwsMessagingException Unreachable(string what, Exception e)
    {
        var innermost = e;
        while (innermost.InnerException is { } next)
            innermost = next;
        return new AwsMessagingException(
            AwsFailure.Unreachable, "Unreachable", $"{what} got no answer: {innermost.Message}", isTransient: true, inner: e);
    }

    private static string CodeOf(WireException e) => e.Error.Code ?? $"HTTP {(int)e.StatusCode}";

    // A refused signature is explained with everything that was signed, session token included.
    private static string Quoted(WireException e, bool holdsMessages) =>
        holdsMessages || e.Error.Words is not { Length: > 0 } words ||
        e.Kind is AwsFailure.CredentialsRejected or AwsFailure.CredentialsExpired
            ? ""
            : $" ({Short(Addresses().Replace(words.ReplaceLineEndings(" "), "[address]").TrimEnd('.'))})";

    private static string Short(string text) => text.Length > 300 ? text[..300] + "…" : text;

    [GeneratedRegex(
        @"https?://[^\s""'<>]*", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Addresses();
}
