namespace ClaimCheck.Adapter.Http;

/// <summary>What the adapter's error answers say. The codes are those of the service, and mean the same.</summary>
internal static class AdapterProblems
{
    public static KnownProblems Known { get; } = new(
    [
        new(ProblemCodes.MalformedJson, 400, "Malformed JSON", "The body is not JSON, or has a name twice in an object."),
        new(ProblemCodes.NestedTooDeep, 400, "Nested too deep", "The body's JSON is nested too deeply."),
        new(ProblemCodes.InvalidCursor, 400, "Invalid cursor", "The cursor was not made by this call."),
        new(ProblemCodes.InvalidLimit, 400, "Invalid limit", "The limit must be a whole number from 1 to 1,000."),
        new(ProblemCodes.InvalidParameter, 400, "Invalid parameter", "A query parameter has a value that it can't have."),
        new(ProblemCodes.UnknownParameter, 400, "Unknown parameter",
            "The call does not know the query parameter. Nothing was done."),
        new(ProblemCodes.InvalidIdempotencyKey, 400, "Invalid Idempotency-Key",
            "The key must be 1 to 255 printable ASCII characters, bare or in double quotes."),
        new(ProblemCodes.Unauthorized, 401, "Unauthorized", "The call needs a key, but the key is missing or unknown."),
        new(ProblemCodes.ForeignOrigin, 403, "Foreign origin",
            "An adapter without keys does not answer web pages of another origin."),
        new(ProblemCodes.NotFound, 404, "Not found", "Nothing was found at this address."),
        new(ProblemCodes.MethodNotAllowed, 405, "Method not allowed", "The address exists, but not with this method."),
        new(ProblemCodes.IdempotencyKeyReused, 409, "Idempotency key reused", "The key was used before for a different request."),
        new(ProblemCodes.JobRunning, 409, "Job running", "It has not ended yet; what failed so far is sent again by itself."),
        new(ProblemCodes.NothingToRetry, 409, "Nothing to retry", "All failed records of these classes were retried already."),
        new(ProblemCodes.BodyTooLarge, 413, "Body too large", "The body is larger than 1 MiB."),
        new(ProblemCodes.UnsupportedMediaType, 415, "Unsupported media type",
            "The body is not of a media type that the call takes."),
        new(ProblemCodes.MisdirectedRequest, 421, "Misdirected request",
            "An adapter without keys answers only to localhost, 127.0.0.1 and [::1]."),
        new(ProblemCodes.ValidationFailed, 422, "Validation failed", "The request is understood, but a field does not fit."),
        new(ProblemCodes.ShuttingDown, 503, "Shutting down", "This process is stopping."),
        new(ProblemCodes.InvalidRequest, 400, "Invalid request", "The request is not valid HTTP, or a header is malformed."),
        new(ProblemCodes.InternalError, 500, "Internal error", "An unexpected error occurred. It is logged."),
    ],
    code => "urn:claimcheck:problem:" + code);
}
