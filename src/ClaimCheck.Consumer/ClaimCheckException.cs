namespace ClaimCheck.Consumer;

/// <summary>
/// The base of every failure of this library. Its message has ids, hosts and codes; it never contains a link,
/// a key or a value of a record.
/// </summary>
/// <param name="code">A stable code: the service's (<see cref="ProblemCodes"/>), or one of this library's own.</param>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch it is about, where there is one.</param>
/// <param name="isTransient">Whether the same call may succeed later.</param>
/// <param name="inner">What caused it.</param>
public class ClaimCheckException(
    string code, string message, BatchId? batchId = null, bool isTransient = false, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>A stable code: the service's (<see cref="ProblemCodes"/>), or one of this library's own.</summary>
    public string Code { get; } = code;

    /// <summary>The batch it is about, or null.</summary>
    public BatchId? BatchId { get; } = batchId;

    /// <summary>True where the same call may succeed later; false where it never will.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>The service's answer, unchanged; null where there was none, or the failure is this library's own.</summary>
    public Problem? Problem { get; internal set; }
}

/// <summary>The batch has ended: no link to it works, and none will be minted. Never transient.</summary>
/// <param name="code">The service's code for how it ended.</param>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch.</param>
public abstract class BatchEndedException(string code, string message, BatchId? batchId)
    : ClaimCheckException(code, message, batchId);

/// <summary>The producer revoked the batch: stop, and discard what was fetched. Code <c>batch_revoked</c>.</summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch.</param>
public sealed class BatchRevokedException(string message, BatchId? batchId)
    : BatchEndedException(ProblemCodes.BatchRevoked, message, batchId);

/// <summary>The batch's retention has passed and its files are deleted. Code <c>batch_expired</c>.</summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch.</param>
public sealed class BatchExpiredException(string message, BatchId? batchId)
    : BatchEndedException(ProblemCodes.BatchExpired, message, batchId);

/// <summary>The export was cancelled before it was ready. Code <c>export_cancelled</c>.</summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch that will never exist.</param>
public sealed class ExportCancelledException(string message, BatchId? batchId)
    : BatchEndedException(ProblemCodes.ExportCancelled, message, batchId);

/// <summary>The export failed before it was ready. Code <c>export_failed</c>.</summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch that will never exist.</param>
public sealed class ExportFailedException(string message, BatchId? batchId)
    : BatchEndedException(ProblemCodes.ExportFailed, message, batchId);

/// <summary>The batch is not ready yet. Transient. Code <c>not_ready</c>.</summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch.</param>
/// <param name="retryAfter">When the service suggests to ask again, counted from now; null where it did not say.</param>
public sealed class BatchNotReadyException(string message, BatchId? batchId, TimeSpan? retryAfter)
    : ClaimCheckException(ProblemCodes.NotReady, message, batchId, isTransient: true)
{
    /// <summary>When the service suggests to ask again, counted from the answer; null where it did not say.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>The previous round of retries has ended too recently. Transient. Code <c>retry_too_early</c>.</summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch.</param>
/// <param name="retryAfter">When the service suggests to ask again, counted from now; null where it did not say.</param>
public sealed class RetryTooEarlyException(string message, BatchId? batchId, TimeSpan? retryAfter)
    : ClaimCheckException(ProblemCodes.RetryTooEarly, message, batchId, isTransient: true)
{
    /// <summary>When the service suggests to ask again, counted from the answer; null where it did not say.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>
/// The consumer's inbox can't be reached, or its Postgres can't do the work now. Transient. Code <c>inbox_unavailable</c>.
/// Handlers' batches wait for it by themselves; nothing is lost.
/// </summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch, where there is one.</param>
/// <param name="inner">The failure of Postgres or its driver.</param>
public sealed class InboxUnavailableException(string message, BatchId? batchId = null, Exception? inner = null)
    : ClaimCheckException("inbox_unavailable", message, batchId, isTransient: true, inner);

/// <summary>The id is unknown to the service, or this caller may not see it. Code <c>not_found</c>.</summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch, where one was asked for.</param>
public sealed class NotFoundException(string message, BatchId? batchId)
    : ClaimCheckException(ProblemCodes.NotFound, message, batchId);

/// <summary>The service refused the caller: no key, a wrong key, or a key without the permission (401, 403, 421).</summary>
/// <param name="code">The service's code.</param>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch, where one was asked for.</param>
public sealed class AccessDeniedException(string code, string message, BatchId? batchId)
    : ClaimCheckException(code, message, batchId);

/// <summary>The service refused the request (4xx): sending the same again is refused again.</summary>
/// <param name="code">The service's code, for example <c>validation_failed</c>.</param>
/// <param name="message">What happened, in words.</param>
/// <param name="errors">What is wrong with which field; empty where no field is at fault.</param>
public sealed class RequestRejectedException(
    string code, string message, IReadOnlyDictionary<string, string[]> errors)
    : ClaimCheckException(code, message)
{
    /// <summary>What is wrong with which field; empty where no field is at fault.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; } = errors;
}

/// <summary>
/// The feed no longer keeps the events after that cursor, or holds other events there, since the service's catalog was restored:
/// events may have been missed. Continue without a cursor. Code <c>cursor_expired</c>.
/// </summary>
/// <param name="message">What happened, in words.</param>
public sealed class CursorExpiredException(string message)
    : ClaimCheckException(ProblemCodes.CursorExpired, message);

/// <summary>The service could not be reached, or could not do it now (429, 5xx), even after retries. Transient.</summary>
/// <param name="code">The service's code, or <c>service_unreachable</c>.</param>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch, where one was asked for.</param>
/// <param name="retryAfter">When the service suggests to ask again, or null.</param>
/// <param name="inner">What caused it.</param>
public sealed class ServiceUnavailableException(
    string code, string message, BatchId? batchId = null, TimeSpan? retryAfter = null, Exception? inner = null)
    : ClaimCheckException(code, message, batchId, isTransient: true, inner)
{
    /// <summary>When the service suggests to ask again, counted from the answer; null where it did not say.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>
/// A file could not be fetched, even after retries and with fresh links, though the batch is still ready.
/// Transient. Code <c>download_failed</c>.
/// </summary>
/// <param name="message">What happened, in words.</param>
/// <param name="batchId">The batch.</param>
/// <param name="inner">What caused it.</param>
public sealed class DownloadFailedException(string message, BatchId? batchId, Exception? inner = null)
    : ClaimCheckException("download_failed", message, batchId, isTransient: true, inner);

/// <summary>
/// What was fetched contradicts the manifest: a checksum, a length, a count, or the shape of the manifest or an index
/// itself. Records of a block that does not match were not returned. Code <c>integrity_violation</c>.
/// </summary>
/// <param name="message">What contradicts what.</param>
/// <param name="batchId">The batch.</param>
/// <param name="inner">What caused it.</param>
public sealed class IntegrityException(string message, BatchId? batchId = null, Exception? inner = null)
    : ClaimCheckException("integrity_violation", message, batchId, isTransient: false, inner);

/// <summary>
/// The batch has a record, or a block of records, that is larger than this reader's limit. The batch itself is valid: raise
/// the limit that the message names, or download its files, which have no size limit. Code <c>record_too_large</c>.
/// </summary>
/// <param name="message">Which one, its size and the limit.</param>
/// <param name="batchId">The batch.</param>
public sealed class RecordTooLargeException(string message, BatchId? batchId)
    : ClaimCheckException(ProblemCodes.RecordTooLarge, message, batchId);

/// <summary>
/// A link leads to a host that is not on <see cref="BatchReaderOptions.AllowedLinkHosts"/>, so it was not followed.
/// Code <c>untrusted_link</c>.
/// </summary>
/// <param name="message">Which host, and what to do.</param>
/// <param name="batchId">The batch.</param>
public sealed class UntrustedLinkException(string message, BatchId? batchId)
    : ClaimCheckException("untrusted_link", message, batchId);

/// <summary>
/// A record does not fit the type it is read into: a member without a column, a NULL for a member that can't be null,
/// a value out of the member's range. Code <c>record_mismatch</c>. The message names the column, never the value.
/// </summary>
/// <param name="message">What does not fit.</param>
/// <param name="batchId">The batch, where a record of it was read.</param>
public sealed class RecordMismatchException(string message, BatchId? batchId = null)
    : ClaimCheckException("record_mismatch", message, batchId);

/// <summary>
/// A batch can't be saved in the directory: it contains another batch, files that are not a download's, or one that
/// another process writes. Nothing in it was changed. Code <c>directory_in_use</c>.
/// </summary>
/// <param name="message">The obstacle, and what to do.</param>
/// <param name="batchId">The batch.</param>
/// <param name="inner">What caused it.</param>
public sealed class DirectoryInUseException(string message, BatchId? batchId, Exception? inner = null)
    : ClaimCheckException("directory_in_use", message, batchId, isTransient: false, inner);

/// <summary>
/// A message is not a ClaimCheck event: not JSON, too large, nested too deeply, of wrong types, contradicting itself, or of
/// another source. Code <c>malformed_event</c>. The message of the exception never quotes it.
/// </summary>
/// <param name="message">What is wrong with it.</param>
public sealed class MalformedEventException(string message)
    : ClaimCheckException("malformed_event", message);

/// <summary>
/// Thrown by a handler for a batch that it will never accept: the message is deleted, and an error logged, instead of trying
/// again and the dead letter queue. Code <c>batch_rejected</c>.
/// </summary>
/// <param name="message">The reason; it is logged, so it must not contain a link or a value of a record.</param>
/// <param name="batchId">The batch.</param>
/// <param name="inner">What caused it; it is logged too.</param>
public sealed class BatchRejectedException(string message, BatchId? batchId = null, Exception? inner = null)
    : ClaimCheckException("batch_rejected", message, batchId, isTransient: false, inner);
