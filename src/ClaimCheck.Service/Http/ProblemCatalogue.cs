using ClaimCheck.Contracts;
using ClaimCheck.Service.Startup;

namespace ClaimCheck.Service.Http;

/// <summary>Every code that an error answer can carry. Codes are stable; texts may improve.</summary>
internal static class ProblemCatalogue
{
    public static IReadOnlyList<ExplainedProblem> All { get; } =
    [
        new(ProblemCodes.MalformedJson, 400, "Malformed JSON", "The body is not JSON, or holds a name twice.", "Send one well-formed JSON object."),
        new(ProblemCodes.NestedTooDeep, 400, "Nested too deep", "The body's JSON is nested deeper than is read.", "Send it flatter; the detail names the limit."),
        new(ProblemCodes.InvalidRequest, 400, "Invalid request", "The request is not valid HTTP, or a header is malformed.", "Check the request line, headers and framing."),
        new(ProblemCodes.InvalidCursor, 400, "Invalid cursor", "The cursor was not made by this service, or not by this call.", "Start again without a cursor, and pass nextCursor as it was answered."),
        new(ProblemCodes.InvalidLimit, 400, "Invalid limit", "The limit must be a whole number from 1 to 1,000.", "Leave it out for 100."),
        new(ProblemCodes.InvalidParameter, 400, "Invalid parameter", "A query parameter has a value that it can't have, or is given more than once.", "See detail for which one, and what it may be."),
        new(ProblemCodes.UnknownParameter, 400, "Unknown parameter", "The call takes no query parameter of that name. Nothing was done: a filter that is ignored would let everything through.", "See errors for which one, and for the nearest name that the call knows."),
        new(ProblemCodes.InvalidIdempotencyKey, 400, "Invalid Idempotency-Key", "The key must be 1 to 255 printable ASCII characters, bare or in double quotes.", "Send a fresh UUID for each new request."),
        new(ProblemCodes.Unauthorized, 401, "Unauthorized", "The call needs a key, and none or an unknown one was sent.", "Send Authorization: Bearer <key>."),
        new(ProblemCodes.ForeignOrigin, 403, "Foreign origin", "A service without keys answers no web page of another origin.", "Call it from a program, or configure ClaimCheck:AdminKey."),
        new(ProblemCodes.LinkInvalid, 403, "Invalid link", "The link's signature does not fit its path and expiry.", "Take the link unaltered, or fetch a fresh one from the claim URL."),
        new(ProblemCodes.LinkExpired, 403, "Expired link", "The link's lifetime is over.", "Fetch a fresh one from the claim URL."),
        new(ProblemCodes.NotFound, 404, "Not found", "There is nothing here.", "Check the address and the id."),
        new(ProblemCodes.MethodNotAllowed, 405, "Method not allowed", "The address exists, but not with this method.", "See the Allow header."),
        new(ProblemCodes.NotAcceptable, 406, "Not acceptable", "The call can't answer in a media type that Accept allows.", "Accept application/json."),
        new(ProblemCodes.NotReady, 409, "Not ready", "The batch is not ready yet.", "Ask again after Retry-After seconds, or wait for BulkReady."),
        new(ProblemCodes.IdempotencyKeyReused, 409, "Idempotency key reused", "The key was used before with another meaning.", "Use a new key for a new request."),
        new(ProblemCodes.SubscriptionExists, 409, "Subscription exists", "The consumer is subscribed at this endpoint with other datasets or types, or the queue is subscribed already.", "Delete that subscription first."),
        new(ProblemCodes.SubscriptionDisabled, 409, "Subscription disabled", "The subscription is disabled: nothing is delivered to it.", "Delete it, and subscribe anew."),
        new(ProblemCodes.TopicNotConfigured, 409, "Topic not configured", "The service publishes to no SNS topic that a queue could be subscribed to.", "Configure ClaimCheck:Publishing:TopicArn, or subscribe a webhook."),
        new(ProblemCodes.NotAWebhook, 409, "Not a webhook", "The call is about webhooks, but the subscription is of a queue.", "See links for what can be done with it."),
        new(ProblemCodes.RunInProgress, 409, "Run in progress", "The schedule's run before has not ended, or too many wait: its overlap policy lets no other in.", "See the schedule's runs; ask again when the export has ended, or put the schedule with overlap queue."),
        new(ProblemCodes.BatchNotOpen, 409, "Batch not open", "The batch has been published: its files can't be changed any more.", "See the batch; open a new one for other files."),
        new(ProblemCodes.UploadIncomplete, 409, "Upload incomplete", "Not all files that were announced have arrived whole. The batch is still open.", "See errors for which; send them, and publish again."),
        new(ProblemCodes.LimitReached, 409, "Limit reached", "There are as many of these as there may be.", "See detail for the limit; delete what is not needed any more, or wait until it has run out."),
        new(ProblemCodes.FileReceived, 409, "File received", "The file has arrived whole, and is not taken again.", "Publish the batch; or cancel it, and open a new one for another file."),
        new(ProblemCodes.MultipartNotOffered, 409, "No uploads in parts", "The staging of this service takes files whole.", "Send the file by one PUT, which knows no limit of size here."),
        new(ProblemCodes.JobRunning, 409, "Job running", "The job has not ended yet.", "Ask again after Retry-After seconds, or wait for JobCompleted."),
        new(ProblemCodes.BatchRevoked, 410, "Batch revoked", "The producer has taken the batch back. Every link is dead.", "Stop, discard what was fetched, and acknowledge the event."),
        new(ProblemCodes.BatchExpired, 410, "Batch expired", "The batch's retention is over, and its files are deleted.", "Ask for a new export."),
        new(ProblemCodes.ExportCancelled, 410, "Export cancelled", "The export was cancelled before its batch was ready.", "Ask for a new export."),
        new(ProblemCodes.ExportFailed, 410, "Export failed", "The export failed; it has no batch to fetch.", "See the export's failure; ask for a new export when its cause is mended."),
        new(ProblemCodes.CursorExpired, 410, "Cursor expired", "The feed no longer keeps the events after this cursor, or the event it was given with is not there: the service's catalog was restored, and its events are others from there on.", "Read on without a cursor, from the oldest event that is kept: an inbox knows what it has handled. List exports to see what was missed."),
        new(ProblemCodes.PreconditionFailed, 412, "Precondition failed", "If-Match names another version of the resource.", "Fetch it anew."),
        new(ProblemCodes.BodyTooLarge, 413, "Body too large", "The body is larger than 1 MiB.", "Send less; large inputs have calls of their own that stream."),
        new(ProblemCodes.RecordTooLarge, 422, "Record too large", "A record is larger than may be here. Nothing is wrong with it otherwise.", "See detail for the record, its size and the setting that limits it; fetch the batch's files, or GET …/data, where a page of records can't hold it."),
        new(ProblemCodes.UnsupportedMediaType, 415, "Unsupported media type", "The body is not of a media type that the call takes.", "See detail for what it takes, and say it in Content-Type."),
        new(ProblemCodes.RangeNotSatisfiable, 416, "Range not satisfiable", "The range lies outside the resource.", "See Content-Range for its size."),
        new(ProblemCodes.MisdirectedRequest, 421, "Misdirected request", "A service without keys answers only to localhost, 127.0.0.1 and [::1].", "Call it by such a name, or configure ClaimCheck:AdminKey."),
        new(ProblemCodes.ValidationFailed, 422, "Validation failed", "The request is understood, but a field does not fit.", "See errors for which field, and why."),
        new(ProblemCodes.OtherConsumer, 403, "Another consumer", "A consumer speaks for itself alone, and a retry is for one consumer.", "Use the consumer's own key, or leave the header ClaimCheck-Consumer out as the administrator."),
        new(ProblemCodes.ReceiptEnded, 409, "Receipt ended", "The receipt is in an end state, and this would change it.", "Report a retry on the retry batch; after a revocation, report discarded."),
        new(ProblemCodes.BatchNotRevoked, 409, "Batch not revoked", "Only what was revoked is discarded.", "Report completed, partiallyFailed or failed."),
        new(ProblemCodes.NothingToRetry, 409, "Nothing to retry", "There are no failed records or items that may be tried again.", "See detail; a consumer reports the end state of its receipt, with the failures, first; an invalid item must be sent anew."),
        new(ProblemCodes.RetryTooEarly, 409, "Retry too early", "The round before has ended a moment ago.", "Ask again after Retry-After seconds."),
        new(ProblemCodes.CountsDoNotAddUp, 422, "Counts do not add up", "Succeeded, transient and terminal must add up to the batch's records, and the listed failures to the counts of their class.", "See detail for the figures; list the failures first, then report the end state."),
        new(ProblemCodes.TooManyFailures, 422, "Too many failures", "A receipt lists at most 1,000,000 failed records.", "Report the batch as a whole, and ask for a redelivery when the cause is mended."),
        new(ProblemCodes.UploadMismatch, 422, "Another file", "What was sent is not the file that was announced.", "See errors for what differs; send the file that was announced, or open a new batch."),
        new(ProblemCodes.InternalError, 500, "Internal error", "Something broke that should not. It is logged.", "Try again; report it if it stays."),
        new(ProblemCodes.DefinitionInvalid, 503, "Definition invalid", "The dataset or operation is defined wrongly, or its definition does not fit its database (any more). All others go on.", "See detail for the file and the reason; its operator fixes one of them. What is fixed is noticed within seconds."),
        new(ProblemCodes.SourceRowSecurity, 503, "Rows hidden by a policy", "A row-level security policy of the source would hide rows of the dataset from the service's role: a subset must not pass for the whole.", "Its operator says \"rowSecurity\": true in the definition, or gives the role BYPASSRLS."),
        new(ProblemCodes.SourceSettingsChanged, 503, "Settings changed", "A setting of the source's session that values' texts depend on is not what the service has set.", "See detail for which one; its operator takes out what changes it, in the query or between the service and the source."),
        new(ProblemCodes.SourceUnavailable, 503, "Source unavailable", "The dataset's source database can't be reached, or refuses the service: the detail says why.", "Try again after Retry-After seconds."),
        new(ProblemCodes.StagingUnavailable, 503, "Staging unavailable", "The storage of files can't be reached, or refuses.", "Try again after Retry-After seconds."),
        new(ProblemCodes.TopicUnavailable, 503, "Topic unavailable", "SNS can't be reached, or refuses the service. What was asked for is kept, and done when it answers.", "Ask again after Retry-After seconds."),
        new(ProblemCodes.CatalogUnavailable, 503, "Catalog unavailable", "The service's own database can't be reached.", "Try again after Retry-After seconds."),
        new(ProblemCodes.ShuttingDown, 503, "Shutting down", "This process is stopping.", "Try again: another one answers, or this one soon will."),
    ];

    public static KnownProblems Under(PublicAddress address) => new(All, code => $"{address.Base}/problems/{code}");
}
