using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Http;

/// <summary>What the adapter's error answers say. The codes are those of the service, and mean the same.</summary>
internal static class AdapterProblems
{
    public static KnownProblems Known { get; } = new(
    [
        new(ProblemCodes.MalformedJson, 400, "Malformed JSON", "The body is not JSON, or holds a name twice."),
        new(ProblemCodes.NestedTooDeep, 400, "Nested too deep", "The body's JSON is nested deeper than is read."),
        new(ProblemCodes.InvalidCursor, 400, "Invalid cursor", "The cursor was not made by this call."),
        new(ProblemCodes.InvalidLimit, 400, "Invalid limit", "The limit must be a whole number from 1 to 1,000."),
        new(ProblemCodes.InvalidParameter, 400, "Invalid parameter", "A query parameter has a value that it can't have."),
        new(ProblemCodes.UnknownParameter, 400, "Unknown parameter", "The call takes no query parameter of that name. Nothing was done."),
        new(ProblemCodes.InvalidIdempotencyKey, 400, "Invalid Idempotency-Key", "The key must be 1 to 255 printable ASCII characters, bare or in double quotes."),
        new(ProblemCodes.Unauthorized, 401, "Unauthorized", "The call needs a key, and none or an unknown one was sent."),
        new(ProblemCodes.ForeignOrigin, 403, "Foreign origin", "An adapter without keys answers no web page of another origin."),
        new(ProblemCodes.NotFound, 404, "Not found", "There is nothing here."),
        new(ProblemCodes.MethodNotAllowed, 405, "Method not allowed", "The address exists, but not with this method."),
        new(ProblemCodes.IdempotencyKeyReused, 409, "Idempotency key reused", "The key was used before with another meaning."),
        new(ProblemCodes.JobRunning, 409, "Job running", "It has not ended yet; what failed so far is sent again by itself."),
        new(ProblemCodes.NothingToRetry, 409, "Nothing to retry", "There are no failed records of these classes that were not retried already."),
        new(ProblemCodes.BodyTooLarge, 413, "Body too large", "The body is larger than 1 MiB."),
        new(ProblemCodes.UnsupportedMediaType, 415, "Unsupported media type", "The body is not of a media type that the call takes."),
        new(ProblemCodes.MisdirectedRequest, 421, "Misdirected request", "An adapter without keys answers only to localhost, 127.0.0.1 and [::1]."),
        new(ProblemCodes.ValidationFailed, 422, "Validation failed", "The request is understood, but a field does not fit."),
        new(ProblemCodes.ShuttingDown, 503, "Shutting down", "This process is stopping."),
        new(ProblemCodes.InvalidRequest, 400, "Invalid request", "The request is not valid HTTP, or a header is malformed."),
        new(ProblemCodes.InternalError, 500, "Internal error", "Something broke that should not. It is logged."),
    ],
    code => "urn:claimcheck:problem:" + code);
}
