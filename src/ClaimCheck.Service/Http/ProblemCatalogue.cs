using ClaimCheck.Contracts;
using ClaimCheck.Service.Startup;

namespace ClaimCheck.Service.Http;

/// <summary>Every code that an error answer can have. Codes are stable; texts may improve.</summary>
internal static class ProblemCatalogue
{
    public static IReadOnlyList<ExplainedProblem> All { get; } =
    [
        new(ProblemCodes.MalformedJson, 400, "Malformed JSON", "The body is not JSON, or has a name twice in an object.", "Send one well-formed JSON object."),
        new(ProblemCodes.NestedTooDeep, 400, "Nested too deep", "The body's JSON is nested too deeply.", "Send it flatter; the detail names the limit."),
        new(ProblemCodes.InvalidRequest, 400, "Invalid request", "The request is not valid HTTP, or a header is malformed.", "Check the request line, headers and framing."),
        new(ProblemCodes.InvalidCursor, 400, "Invalid cursor", "The cursor was not made by this service, or not by this call.", "Start again without a cursor, and pass nextCursor as it was answered."),
        new(ProblemCodes.InvalidLimit, 400, "Invalid limit", "The limit must be a whole number from 1 to 1,000.", "Leave it out for 100."),
        new(ProblemCodes.InvalidParameter, 400, "Invalid parameter", "A query parameter has a value that it can't have, or is given more than once.", "See detail for the parameter and its values."),
        new(ProblemCodes.UnknownParameter, 400, "Unknown parameter", "The call does not know the query parameter. Nothing was done: a filter that is ignored would let everything through.", "See errors for the parameter, and for the nearest name that the call knows."),
        new(ProblemCodes.InvalidIdempotencyKey, 400, "Invalid Idempotency-Key", "The key must be 1 to 255 printable ASCII characters, bare or in double quotes.", "Send a fresh UUID for each new request."),
        new(ProblemCodes.Unauthorized, 401, "Unauthorized", "The call needs a key, but the key is missing or unknown.", "Send Authorization: Bearer <key>."),
        new(ProblemCodes.ForeignOrigin, 403, "Foreign origin", "A service without keys does not answer web pages of another origin.", "Call it from a program, or configure ClaimCheck:AdminKey."),
        new(ProblemCodes.LinkInvalid, 403, "Invalid link", "The link's signature does not match its path and expiry.", "Use the link unaltered, or fetch a fresh one from the claim URL."),
        new(ProblemCodes.LinkExpired, 403, "Expired link", "The link has expired.", "Fetch a fresh one from the claim URL."),
        new(ProblemCodes.NotFound, 404, "Not found", "Nothing was found at this address.", "Check the address and the id."),
        new(ProblemCodes.MethodNotAllowed, 405, "Method not allowed", "The address exists, but not with this method.", "See the Allow header."),
        new(ProblemCodes.NotAcceptable, 406, "Not acceptable", "The call can't answer in a media type that Accept allows.", "Accept application/json."),
        new(ProblemCodes.NotReady, 409, "Not ready", "The batch is not ready yet.", "Ask again after Retry-After seconds, or wait for BulkReady."),
        new(ProblemCodes.IdempotencyKeyReused, 409, "Idempotency key reused", "The key was used before for a different request.", "Use a new key for a new request."),
        new(ProblemCodes.SubscriptionExists, 409, "Subscription exists", "The consumer is subscribed at this endpoint with other datasets or types, or the queue is subscribed already.", "Delete that subscription first."),
        new(ProblemCodes.SubscriptionDisabled, 409, "Subscription disabled", "The subscription is disabled: nothing is delivered to it.", "Delete it, and subscribe anew."),
        new(ProblemCodes.TopicNotConfigured, 409, "Topic not configured", "The service does not publish to an SNS topic, so that no queue can be subscribed.", "Configure ClaimCheck:Publishing:TopicArn, or subscribe a webhook."),
        new(ProblemCodes.NotAWebhook, 409, "Not a webhook", "The call is for webhooks, but the subscription is a queue's.", "See links for what can be done with it."),
        new(ProblemCodes.RunInProgress, 409, "Run in progress", "The schedule's previous run has not ended, or too many runs wait: its overlap policy does not allow another one.", "See the schedule's runs; ask again when the export has ended, or set the schedule's overlap to queue."),
        new(ProblemCodes.BatchNotOpen, 409, "Batch not open", "The batch has been published: its files can't be changed any more.", "See the batch; open a new one for other files."),
        new(ProblemCodes.UploadIncomplete, 409, "Upload incomplete", "Not all announced files have arrived completely. The batch is still open.", "See errors for the missing files; send them, and publish again."),
        new(ProblemCodes.LimitReached, 409, "Limit reached", "The limit for these resources is reached.", "See detail for the limit; delete what is not needed any more, or wait until it expires."),
        new(ProblemCodes.FileReceived, 409, "File received", "The file has arrived completely, and is not accepted again.", "Publish the batch; or cancel it, and open a new one for another file."),
        new(ProblemCodes.MultipartNotOffered, 409, "No uploads in parts", "The staging of this service takes each file in one request.", "Send the file by one PUT, which has no size limit here."),
        new(ProblemCodes.JobRunning, 409, "Job running", "The job has not ended yet.", "Ask again after Retry-After seconds, or wait for JobCompleted."),
        new(ProblemCodes.BatchRevoked, 410, "Batch revoked", "The producer has revoked the batch. Every link is dead.", "Stop, discard what was fetched, and acknowledge the event."),
        new(ProblemCodes.BatchExpired, 410, "Batch expired", "The batch's retention is over, and its files are deleted.", "Ask for a new export."),
        new(ProblemCodes.ExportCancelled, 410, "Export cancelled", "The export was cancelled before its batch was ready.", "Ask for a new export."),
        new(ProblemCodes.ExportFailed, 410, "Export failed", "The export failed; it has no batch to fetch.", "See the export's failure; ask for a new export when its cause is fixed."),
        new(ProblemCodes.CursorExpired, 410, "Cursor expired", "The feed no longer keeps the events after this cursor, or the cursor's event does not exist: the service's catalog was restored, and its events differ from there on.", "Continue without a cursor, from the oldest event that is kept: an inbox knows what it has handled. List exports to see what was missed."),
        new(ProblemCodes.PreconditionFailed, 412, "Precondition failed", "If-Match does not match the current version of the resource.", "Fetch it anew."),
        new(ProblemCodes.BodyTooLarge, 413, "Body too large", "The body is larger than 1 MiB.", "Send less; large inputs have calls of their own, which stream."),
        new(ProblemCodes.RecordTooLarge, 422, "Record too large", "A record is larger than the limit. It is valid otherwise.", "See detail for the record, its size and the setting that limits it; fetch the batch's files, or GET …/data, where a page of records can't hold it."),
        new(ProblemCodes.UnsupportedMediaType, 415, "Unsupported media type", "The body is not of a media type that the call takes.", "See detail for the accepted types, and set Content-Type."),
        new(ProblemCodes.RangeNotSatisfiable, 416, "Range not satisfiable", "The range is outside the resource.", "See Content-Range for its size."),
        new(ProblemCodes.MisdirectedRequest, 421, "Misdirected request", "A service without keys answers only to localhost, 127.0.0.1 and [::1].", "Call it by one of these names, or configure ClaimCheck:AdminKey."),
        new(ProblemCodes.ValidationFailed, 422, "Validation failed", "The request is understood, but a field does not fit.", "See errors for the fields and the reasons."),
        new(ProblemCodes.OtherConsumer, 403, "Another consumer", "A consumer may only act for itself, and a retry is for one consumer.", "Use the consumer's own key, or leave the header ClaimCheck-Consumer out as the administrator."),
        new(ProblemCodes.ReceiptEnded, 409, "Receipt ended", "The receipt is in an end state, and the request would change it.", "Report a retry on the retry batch; after a revocation, report discarded."),
        new(ProblemCodes.BatchNotRevoked, 409, "Batch not revoked", "Only a revoked batch can be discarded.", "Report completed, partiallyFailed or failed."),
        new(ProblemCodes.NothingToRetry, 409, "Nothing to retry", "No failed records or items can be tried again.", "See detail; a consumer reports the end state of its receipt, with the failures, first; an invalid item must be sent again in a new job."),
        new(ProblemCodes.RetryTooEarly, 409, "Retry too early", "The previous round has only just ended.", "Ask again after Retry-After seconds."),
        new(ProblemCodes.CountsDoNotAddUp, 422, "Counts do not add up", "Succeeded, transient and terminal must add up to the batch's records, and the listed failures to the counts of their class.", "See detail for the figures; list the failures first, then report the end state."),
        new(ProblemCodes.TooManyFailures, 422, "Too many failures", "A receipt lists at most 1,000,000 failed records.", "Report the batch as a whole, and ask for a redelivery when the cause is fixed."),
        new(ProblemCodes.UploadMismatch, 422, "Another file", "The content sent is not that of the announced file.", "See errors for the differences; send the announced file, or open a new batch."),
        new(ProblemCodes.InternalError, 500, "Internal error", "An unexpected error occurred. It is logged.", "Try again; report it if it persists."),
        new(ProblemCodes.DefinitionInvalid, 503, "Definition invalid", "The definition of the dataset or operation is wrong, or does not fit its database (any more). All others still work.", "See detail for the file and the reason; the operator must fix the definition or the database. A fix takes effect within seconds."),
        new(ProblemCodes.SourceRowSecurity, 503, "Rows hidden by a policy", "A row-level security policy of the source would hide rows of the dataset from the service's role: a subset must not pass for the whole.", "The operator must set \"rowSecurity\": true in the definition, or give the role BYPASSRLS."),
        new(ProblemCodes.SourceSettingsChanged, 503, "Settings changed", "A setting of the source's session that values' texts depend on is not what the service has set.", "See detail for the setting; the operator must remove what changes it, in the query or between the service and the source."),
        new(ProblemCodes.SourceUnavailable, 503, "Source unavailable", "The dataset's source database can't be reached, or refuses the service: the detail says why.", "Try again after Retry-After seconds."),
        new(ProblemCodes.StagingUnavailable, 503, "Staging unavailable", "The storage of files can't be reached, or refuses the service.", "Try again after Retry-After seconds."),
        new(ProblemCodes.TopicUnavailable, 503, "Topic unavailable", "SNS can't be reached, or refuses the service. The request is kept, and carried out when SNS answers.", "Ask again after Retry-After seconds."),
        new(ProblemCodes.CatalogUnavailable, 503, "Catalog unavailable", "The service's own database can't be reached.", "Try again after Retry-After seconds."),
        new(ProblemCodes.ShuttingDown, 503, "Shutting down", "This process is stopping.", "Try again: another process answers, or this one after its restart."),
    ];

    public static KnownProblems Under(PublicAddress address) => new(All, code => $"{address.Base}/problems/{code}");
}
