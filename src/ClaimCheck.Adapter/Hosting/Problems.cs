using System.Text.Json;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Hosting;

/// <summary>An error answer, <c>application/problem+json</c> (RFC 9457).</summary>
internal sealed class ProblemResult(Problem problem, TimeSpan? retryAfter = null) : IResult, IStatusCodeHttpResult, IValueHttpResult<Problem>
{
    public int? StatusCode => problem.Status;
    public Problem Value => problem;

    /// <summary>The document as it is sent.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(problem, ClaimCheckJson.Options);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = problem.Status;
        httpContext.Response.Headers.CacheControl = "no-store";
        if (retryAfter is { } wait)
            httpContext.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString();
        await httpContext.Response.WriteAsJsonAsync(problem, ClaimCheckJson.Options, "application/problem+json", httpContext.RequestAborted);
    }
}

/// <summary>Creates error answers; the codes are those of the service, with the same meaning.</summary>
internal static class Problems
{
    // A hostile body with a million wrong fields must not produce an answer of that size.
    private const int MostErrors = 50;

    public static ProblemResult Of(
        string code, string? detail = null, IReadOnlyDictionary<string, string[]>? errors = null, TimeSpan? retryAfter = null)
    {
        var (status, title, meaning) = Explain(code);
        return new(
            new Problem { Type = "urn:claimcheck:problem:" + code, Title = title, Status = status, Code = code, Detail = detail ?? meaning, Errors = errors },
            retryAfter);
    }

    public static ProblemResult NotFound(string what) => Of(ProblemCodes.NotFound, $"There is no {what} by that name.");

    public static ProblemResult Invalid(IReadOnlyDictionary<string, string[]> errors) =>
        errors.Count <= MostErrors
            ? Of(ProblemCodes.ValidationFailed, "The request is understood, but its fields don't fit: see errors.", errors)
            : Of(
                ProblemCodes.ValidationFailed,
                $"The request is understood, but {errors.Count} of its fields don't fit: errors shows {MostErrors} of them.",
                errors.Take(MostErrors).ToDictionary(StringComparer.Ordinal));

    /// <summary>The code for a bare status that routing or the server has set.</summary>
    public static string ForStatus(int status) => status switch
    {
        401 => ProblemCodes.Unauthorized,
        404 => ProblemCodes.NotFound,
        405 => ProblemCodes.MethodNotAllowed,
        413 => ProblemCodes.BodyTooLarge,
        415 => ProblemCodes.UnsupportedMediaType,
        >= 400 and < 500 => ProblemCodes.InvalidRequest,
        _ => ProblemCodes.InternalError,
    };

    private static (int Status, string Title, string Meaning) Explain(string code) => code switch
    {
        ProblemCodes.MalformedJson => (400, "Malformed JSON", "The body is not JSON, or has a name twice in an object."),
        ProblemCodes.NestedTooDeep => (400, "Nested too deep", "The body's JSON is nested too deeply."),
        ProblemCodes.InvalidCursor => (400, "Invalid cursor", "The cursor was not made by this call."),
        ProblemCodes.InvalidLimit => (400, "Invalid limit", "The limit must be a whole number from 1 to 1,000."),
        ProblemCodes.InvalidParameter => (400, "Invalid parameter", "A query parameter has a value that it can't have."),
        ProblemCodes.UnknownParameter => (400, "Unknown parameter", "The call does not know the query parameter. Nothing was done."),
        ProblemCodes.InvalidIdempotencyKey => (400, "Invalid Idempotency-Key", "The key must be 1 to 255 printable ASCII characters, bare or in double quotes."),
        ProblemCodes.Unauthorized => (401, "Unauthorized", "The call needs a key, but the key is missing or unknown."),
        ProblemCodes.ForeignOrigin => (403, "Foreign origin", "An adapter without keys does not answer web pages of another origin."),
        ProblemCodes.NotFound => (404, "Not found", "Nothing was found at this address."),
        ProblemCodes.MethodNotAllowed => (405, "Method not allowed", "The address exists, but not with this method."),
        ProblemCodes.IdempotencyKeyReused => (409, "Idempotency key reused", "The key was used before for a different request."),
        ProblemCodes.JobRunning => (409, "Job running", "It has not ended yet; what failed so far is sent again by itself."),
        ProblemCodes.NothingToRetry => (409, "Nothing to retry", "All failed records of these classes were retried already."),
        ProblemCodes.BodyTooLarge => (413, "Body too large", "The body is larger than 1 MiB."),
        ProblemCodes.UnsupportedMediaType => (415, "Unsupported media type", "The body is not of a media type that the call takes."),
        ProblemCodes.MisdirectedRequest => (421, "Misdirected request", "An adapter without keys answers only to localhost, 127.0.0.1 and [::1]."),
        ProblemCodes.ValidationFailed => (422, "Validation failed", "The request is understood, but a field does not fit."),
        ProblemCodes.ShuttingDown => (503, "Shutting down", "This process is stopping."),
        ProblemCodes.InvalidRequest => (400, "Invalid request", "The request is not valid HTTP, or a header is malformed."),
        _ => (500, "Internal error", "An unexpected error occurred. It is logged."),
    };
}
