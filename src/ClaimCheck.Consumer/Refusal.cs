namespace ClaimCheck.Consumer;

/// <summary>Turns an answer of the service that is not a success into the exception that tells what to do about it.</summary>
internal static class Refusal
{
    private static readonly JsonSerializerOptions Json = new(ClaimCheckJson.Options) { MaxDepth = 8 };

    public static async Task<ClaimCheckException> ReadAsync(
        HttpResponseMessage response, BatchId? batch, CancellationToken cancellationToken)
    {
        var problem = await ProblemAsync(response, cancellationToken);
        var status = (int)response.StatusCode;
        var code = problem?.Code ?? $"http_{status}";
        var text = problem is null
            ? $"The service answered {status} without saying why."
            : $"{problem.Title}{(problem.Detail is null ? "" : ": " + problem.Detail)}";
        var retryAfter = RetryAfter(response);
        ClaimCheckException refusal = code switch
        {
            ProblemCodes.BatchRevoked => new BatchRevokedException(text, batch),
            ProblemCodes.BatchExpired => new BatchExpiredException(text, batch),
            ProblemCodes.ExportCancelled => new ExportCancelledException(text, batch),
            ProblemCodes.ExportFailed => new ExportFailedException(text, batch),
            ProblemCodes.NotReady => new BatchNotReadyException(text, batch, retryAfter),
            ProblemCodes.RetryTooEarly => new RetryTooEarlyException(text, batch, retryAfter),
            ProblemCodes.CursorExpired => new CursorExpiredException(text),
            _ when status == 404 => new NotFoundException(text, batch),
            _ when status is 401 or 403 or 421 => new AccessDeniedException(code, text, batch),
            _ when status is 408 or 429 or >= 500 => new ServiceUnavailableException(code, text, batch, retryAfter),
            _ => new RequestRejectedException(code, text, problem?.Errors ?? new Dictionary<string, string[]>()),
        };
        refusal.Problem = problem;
        return refusal;
    }

    /// <summary>The Retry-After of an answer, counted from now; null where there is none.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } when date - TimeProvider.System.GetUtcNow() is var left && left > TimeSpan.Zero => left,
            _ => null,
        };

    private static async Task<Problem?> ProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json"
            || response.StatusCode == HttpStatusCode.NoContent)
            return null;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            await using var bounded = new BoundedStream(body, 1024 * 1024);
            return await JsonSerializer.DeserializeAsync<Problem>(bounded, Json, cancellationToken);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
