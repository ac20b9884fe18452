using ClaimCheck.Service.Batches;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>The job resource: create, watch, cancel, list failures, retry.</summary>
internal static class JobEndpoints
{
    private const string ListCall = "bulk-jobs";
    private const string FailuresCall = "failures";
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CancelWait = TimeSpan.FromSeconds(10);
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapJobs(this IEndpointRouteBuilder routes)
    {
        var jobs = routes.MapGroup("/v1/bulk-jobs").WithTags("Bulk jobs").ProducesProblems(401);
        const string preference = "How long to wait for its end: wait=N, 60 seconds at most.";
        jobs.MapPost("", Create).WithName("CreateBulkJob")
            .WithSummary("Asks for bulk writes, with items inline, as NDJSON or CSV, or by claim; answers 202 at once.")
            .Accepts<BulkJobRequest>("application/json", "application/x-ndjson", "text/csv")
            .ReadsQuery("operation", "For NDJSON and CSV: the operation.")
            .ReadsQuery("ttl", "For NDJSON and CSV: how long the job is kept, as an ISO 8601 duration.")
            .ReadsHeader("Idempotency-Key", "The same key and meaning is the same job.").ReadsHeader("Prefer", preference)
            .ProducesProblems(400, 409, 413, 415, 422, 503);
        jobs.MapMethods("", Read, List).WithName("ListBulkJobs").WithSummary("Lists jobs, newest first.").ReadsPaging()
            .ProducesProblems(400);
        jobs.MapMethods("/{jobId}", Read, Get).WithName("GetBulkJob").WithSummary("One job; Prefer: wait=N waits for its end.")
            .ReadsHeader("Prefer", preference).ProducesProblems(404);
        jobs.MapDelete("/{jobId}", Cancel).WithName("CancelBulkJob")
            .WithSummary("Cancels it between two chunks, and says what was applied.").ProducesProblems(404);
        jobs.MapMethods("/{jobId}/failures", Read, ListFailures).WithName("ListBulkJobFailures")
            .WithSummary("Its failed items, in the order of the body.")
            .ReadsPaging().ReadsQuery("class", "transient or terminal ones alone.").ProducesProblems(400, 404);
        jobs.MapMethods("/{jobId}/results", Read, GetResults).WithName("GetBulkJobResults")
            .WithSummary("The outcomes of all processed items: with an Authorization header the file itself, with Range; without "
                + "one a redirect to a link.")
            .ReadsRanges().Produces(200).Produces(206).Produces(307).ProducesProblems(404, 409, 412, 416, 503);
        jobs.MapPost("/{jobId}/retries", Retry).WithName("RetryBulkJob").WithSummary("A job of its failed items.")
            .ReadsQuery("class", "transient or terminal ones alone.").ProducesProblems(400, 404, 409);
        return routes;
    }

    private static async Task<Results<Accepted<BulkJob>, Ok<BulkJob>, ProblemResult>> Create(
        HttpContext context, Caller caller, JobRequests requests, JobIntake intake, JobViews views, JobWaiting waiting,
        CancellationToken cancellationToken)
    {
        var preferred = Waiting.Preferred(context.Request);
        if (IdempotencyKey.Read(context.Request, out var key) is { } badKey)
            return badKey;
        if (context.Request.Headers.ContentEncoding.Count > 0)
            return Problems.Of(ProblemCodes.UnsupportedMediaType, "The body must come without a Content-Encoding.");
        JobAnswer answer;
        var isTyped = MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type);
        if (isTyped && JobIntake.IsCsv(type!.MediaType.Value) is { } isCsv)
        {
            if (type.Charset.HasValue
                && !HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))
                return Problems.Of(ProblemCodes.UnsupportedMediaType, "The body must be UTF-8.");
            answer = await intake.ReceiveAsync(context, caller, isCsv, key, cancellationToken);
        }
        else
        {
            var (body, items, refusal) = await JsonBody.ReadAsync(context.Request, values: "items", cancellationToken);
            if (refusal is not null)
                return refusal;
            answer = await requests.AskAsync(caller, body!.Value, items, key, cancellationToken);
        }

        if (answer is JobAnswer.Declined(var why))
            return Problems.Of(why);
        var wait = Waiting.Apply(context, preferred);
        var (row, isNew) = (JobAnswer.Asked)answer;
        if (wait > TimeSpan.Zero)
            row = await waiting.UntilEndedAsync(caller, row, wait, cancellationToken);
        if (row.IsEnded && ((key is not null && !isNew) || wait > TimeSpan.Zero))
            return TypedResults.Ok(await views.ShowAsync(row, cancellationToken));
        Waiting.AskAgain(context);
        return TypedResults.Accepted(JobViews.PathOf(row.JobId), await views.ShowAsync(row, cancellationToken));
    }

    private static async Task<Results<Ok<BulkJob>, ProblemResult>> Get(
        string jobId, HttpContext context, Caller caller, JobStore store, JobViews views, JobWaiting waiting,
        CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(jobId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } row)
            return Problems.NotFound("bulk job");
        if (Waiting.Apply(context, Waiting.Preferred(context.Request)) is var wait && wait > TimeSpan.Zero)
            row = await waiting.UntilEndedAsync(caller, row, wait, cancellationToken);
        if (!row.IsEnded)
            Waiting.AskAgain(context);
        return TypedResults.Ok(await views.ShowAsync(row, cancellationToken));
    }

    private static async Task<Results<Ok<Page<BulkJob>>, ProblemResult>> List(
        HttpContext context, string? status, string? operation, Caller caller, JobStore store, JobViews views,
        CancellationToken cancellationToken)
    {
        if (Paging.Read(context.Request, ListCall, out var refusal) is not { } paging)
            return refusal!;
        if (status is not null && !BulkJobStatus.All.Contains(status, StringComparer.Ordinal))
            return Problems.Of(ProblemCodes.InvalidParameter, $"status must be one of {string.Join(", ", BulkJobStatus.All)}.");
        if (operation?.Contains('\0', StringComparison.Ordinal) == true)
            return Problems.Of(ProblemCodes.InvalidParameter, "operation must be text without NUL characters.");
        if (!paging.TryAfter<JobId>(JobId.TryParse, out var before))
            return Problems.Of(ProblemCodes.InvalidCursor);
        var rows = await store.ListAsync(caller, status, operation, before, paging.Limit + 1, cancellationToken);
        var page = new List<BulkJob>();
        foreach (var row in rows.Take(paging.Limit))
            page.Add(await views.ShowAsync(row, cancellationToken));
        return TypedResults.Ok(
            new Page<BulkJob>(page, rows.Count > paging.Limit ? Paging.Cursor(ListCall, page[^1].JobId.ToString()) : null));
    }

    private static async Task<Results<Ok<BulkJob>, Accepted<BulkJob>, ProblemResult>> Cancel(
        string jobId, HttpContext context, Caller caller, JobStore store, JobViews views, JobWaiting waiting,
        CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(jobId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } row)
            return Problems.NotFound("bulk job");
        if (!row.IsEnded)
        {
            await store.CancelAsync(caller, id, cancellationToken);
            row = await waiting.UntilEndedAsync(caller, row, CancelWait, cancellationToken);
        }

        if (row.IsEnded)
            return TypedResults.Ok(await views.ShowAsync(row, cancellationToken));
        Waiting.AskAgain(context);
        return TypedResults.Accepted(JobViews.PathOf(id), await views.ShowAsync(row, cancellationToken));
    }

    private static async Task<Results<Ok<Page<BulkItemOutcome>>, ProblemResult>> ListFailures(
        string jobId, HttpContext context, Caller caller, JobStore store, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(jobId, out var id) || await store.FindAsync(caller, id, cancellationToken) is null)
            return Problems.NotFound("bulk job");
        if (Paging.Read(context.Request, FailuresCall, out var refusal) is not { } paging)
            return refusal!;
        if (!TryClass(context.Request, out var failureClass))
            return Problems.Of(ProblemCodes.InvalidParameter, "class must be transient or terminal.");
        var after = -1L;
        if (paging.After is not null && !long.TryParse(paging.After, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return Problems.Of(ProblemCodes.InvalidCursor);
        var rows = await store.FailuresAsync(id, failureClass, after, paging.WithNext, cancellationToken);
        return TypedResults.Ok(
            paging.Of(rows, failure => failure, failure => failure.Index.ToString(CultureInfo.InvariantCulture)));
    }

    private static async Task<IResult> GetResults(
        string jobId, HttpContext context, Caller caller, JobStore store, JobViews views, JobStaging staging, BatchStream stream,
        CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(jobId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } row)
            return Problems.NotFound("bulk job");
        if (!row.IsEnded)
            return Problems.Of(ProblemCodes.JobRunning, retryAfter: AskAgain);
        context.Response.Headers.Vary = HeaderNames.Authorization;
        if (await views.ResultAsync(row, context.Request.Method, cancellationToken) is not { } link)
            return NoResults();
        if (!LinkRedirect.WouldCarryAKey(context.Request))
            return new LinkRedirect(link);
        return await staging.ResultsAsync(row, cancellationToken) is { } results
            ? BatchEndpoints.Answer(stream, results)
            : NoResults();

        static ProblemResult NoResults() =>
            Problems.Of(
                ProblemCodes.NotFound,
                "The job has no file of results: nothing of it was applied, or its items could not be read.");
    }

    private static async Task<Results<Accepted<BulkJob>, ProblemResult>> Retry(
        string jobId, HttpContext context, Caller caller, JobStore store, JobRetries retries, JobViews views,
        CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(jobId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } row)
            return Problems.NotFound("bulk job");
        if (!TryClass(context.Request, out var failureClass))
            return Problems.Of(ProblemCodes.InvalidParameter, "class must be transient or terminal.");
        if (!row.IsEnded)
            return Problems.Of(ProblemCodes.JobRunning, retryAfter: AskAgain);
        var (asked, refusal) = await retries.AskAsync(caller, row, failureClass, cancellationToken);
        if (asked is not { } retry)
            return Problems.Of(ProblemCodes.NothingToRetry, refusal);
        Waiting.AskAgain(context);
        return TypedResults.Accepted(JobViews.PathOf(retry.JobId), await views.ShowAsync(retry, cancellationToken));
    }

    private static bool TryClass(HttpRequest request, out string? failureClass)
    {
        failureClass = request.Query.TryGetValue("class", out var text) ? text.ToString() : null;
        return failureClass is null or "transient" or "terminal";
    }
}
