namespace ClaimCheck.Aws;

/// <summary>Why a call to SNS or SQS failed.</summary>
public enum AwsFailure
{
    /// <summary>The request itself is wrong: sending the same again is refused again.</summary>
    Invalid,

    /// <summary>The topic, subscription or queue does not exist (or, to this caller, is not shown).</summary>
    NotFound,

    /// <summary>
    /// The caller is known, but lacks permission for this, or for the key that the topic or queue is encrypted with.
    /// </summary>
    AccessDenied,

    /// <summary>The credentials have expired. Transient: sources other than fixed keys renew them.</summary>
    CredentialsExpired,

    /// <summary>
    /// The credentials are missing, or the server does not accept them: unknown, or the signature does not match.
    /// </summary>
    CredentialsRejected,

    /// <summary>Too many requests. Transient.</summary>
    Throttled,

    /// <summary>The server can't do it now (5xx). Transient.</summary>
    Unavailable,

    /// <summary>
    /// No answer: not resolved, not connected, cut off, or not in time. Transient; the request may have taken effect.
    /// </summary>
    Unreachable,

    /// <summary>
    /// An answer that is truncated, not of the protocol, or contradicts its checksum. Transient; the request may have taken
    /// effect.
    /// </summary>
    Unreadable,
}

/// <summary>
/// A call to SNS or SQS failed, even after retries. The message names the call, the code and the topic or queue; it never
/// contains a message, a link, a receipt handle or a credential, and neither does any inner exception.
/// </summary>
/// <param name="kind">Why.</param>
/// <param name="code">The server's code, or a word of this library's own where no server answered.</param>
/// <param name="message">What happened, in words.</param>
/// <param name="isTransient">Whether the same call may succeed later.</param>
/// <param name="statusCode">The HTTP status, or null without an answer.</param>
/// <param name="requestId">AWS's id of the request, or null.</param>
/// <param name="inner">What caused it.</param>
public class AwsMessagingException(
    AwsFailure kind, string code, string message, bool isTransient, HttpStatusCode? statusCode = null, string? requestId = null,
    Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>Why the call failed.</summary>
    public AwsFailure Kind { get; } = kind;

    /// <summary>
    /// The server's code, for example <c>NonExistentQueue</c>
    /// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html and each call's page); where no
    /// server answered <c>Unreachable</c>, <c>Unreadable</c> or <c>NoCredentials</c>.
    /// </summary>
    public string Code { get; } = code;

    /// <summary>True where the same call may succeed later without any change.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>The HTTP status of the last answer, or null where there was none.</summary>
    public HttpStatusCode? StatusCode { get; } = statusCode;

    /// <summary>AWS's id of the request, which its support asks for; or null.</summary>
    public string? RequestId { get; } = requestId;
}
