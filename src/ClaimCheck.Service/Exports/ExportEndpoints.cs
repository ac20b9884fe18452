namespace ClaimCheck.Service.Exports;

/// <summary>The job resource: request an export, watch it, list them. Cancelling is in <c>Revocation/</c>.</summary>
internal static class ExportEndpoints
{
    private const string ListCall = "exports";

    public static IEndpointRouteBuilder MapExports(this IEndpointRouteBuilder routes)
    {
        var exports = routes.MapGroup("/v1/exports").WithTags("Exports").ProducesProblems(401);
        exports.MapPost("", Create).WithName("CreateExport").WithSummary("Asks for an export; answers 202 at once.")
            .Accepts<ExportRequest>("application/json")
            .ReadsQuery("dryRun", "true: nothing is made, and the answer, 200, is what the export is expected to be.")
            .ReadsHeader("Idempotency-Key", "The same key and meaning is the same export.")
            .ReadsHeader("Prefer", "How long to wait for its end: wait=N, 60 seconds at most.")
            .AnswersOneOf(StatusCodes.Status200OK, nameof(Export), nameof(ExportEstimate))
            .ProducesProblems(400, 409, 413, 415, 422, 503);
        exports.MapMethods("", [HttpMethods.Get, HttpMethods.Head], List).WithName("ListExports")
            .WithSummary("Lists exports, newest first.")
            .ReadsPaging().ProducesProblems(400);
        exports.MapMethods("/{exportId}", [HttpMethods.Get, HttpMethods.Head], Get).WithName("GetExport")
            .WithSummary("One export; Prefer: wait=N waits for its end.")
            .ReadsHeader("Prefer", "How long to wait for its end: wait=N, 60 seconds at most.").ProducesProblems(404);
        return routes;
    }

    private static async Task<Results<Accepted<Export>, Ok<Export>, Ok<ExportEstimate>, ProblemResult>> Create(
        HttpContext context, Caller caller, ExportRequests requests, ExportViews views, ExportWaiting waiting,
        CancellationToken cancellationToken)
    {
        var preferred = Waiting.Preferred(context.Request);
        if (IsDryRun(context.Request) is not { } isDryRun)
            return Problems.Of(ProblemCodes.InvalidParameter, "dryRun must be true or false.");
        if (IdempotencyKey.Read(context.Request, out var key) is { } badKey)
            return badKey;
        var (body, refusal) = await JsonBody.ReadAsync(context.Request, cancellationToken);
        if (refusal is not null)
            return refusal;

        if (isDryRun)
        {
            var (estimate, why) = await requests.EstimateAsync(caller, body!.Value, cancellationToken);
            return estimate is null ? Problems.Of(why!) : TypedResults.Ok(estimate);
        }

        var answer = await requests.AskAsync(caller, body!.Value, key, cancellationToken);
        if (answer is ExportAnswer.Declined(var refused))
            return Problems.Of(refused);

        var wait = Waiting.Apply(context, preferred);
        var (row, isNew) = (ExportAnswer.Asked)answer;
        if (wait > TimeSpan.Zero)
            row = await waiting.UntilSettledAsync(caller, row, wait, cancellationToken);

        if ((key is not null && !isNew && ExportState.IsSettled(row.State))
            || (wait > TimeSpan.Zero && ExportState.IsSettled(row.State)))
            return TypedResults.Ok(views.Show(row));
        Waiting.AskAgain(context);
        return TypedResults.Accepted(ExportViews.PathOf(row.ExportId), await views.ShowWithStagingAsync(row, cancellationToken));
    }

    // Null where it is neither.
    private static bool? IsDryRun(HttpRequest request) => request.Query["dryRun"].ToString() switch
    {
        "true" => true,
        "false" => false,
        "" when !request.Query.ContainsKey("dryRun") => false,
        _ => null,
    };

    private static async Task<Results<Ok<Export>, ProblemResult>> Get(
        string exportId, HttpContext context, Caller caller, ExportStore store, ExportViews views, ExportWaiting waiting,
        CancellationToken cancellationToken)
    {
        if (!ExportId.TryParse(exportId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } row)
            return Problems.NotFound("export");
        if (Waiting.Apply(context, Waiting.Preferred(context.Request)) is var wait && wait > TimeSpan.Zero)
            row = await waiting.UntilSettledAsync(caller, row, wait, cancellationToken);
        if (!ExportState.IsSettled(row.State))
            Waiting.AskAgain(context);
        return TypedResults.Ok(views.Show(row));
    }

    private static async Task<Results<Ok<Page<Export>>, ProblemResult>> List(
        HttpContext context, string? state, string? dataset, Caller caller, ExportStore store, ExportViews views,
        CancellationToken cancellationToken)
    {
        if (Paging.Read(context.Request, ListCall, out var refusal) is not { } paging)
            return refusal!;
        if (state is not null && !ExportState.All.Contains(state, StringComparer.Ordinal))
            return Problems.Of(ProblemCodes.InvalidParameter, $"state must be one of {string.Join(", ", ExportState.All)}.");
        if (dataset?.Contains('\0', StringComparison.Ordinal) == true)
            return Problems.Of(ProblemCodes.InvalidParameter, "dataset must be text without NUL characters.");
        if (!paging.TryAfter<ExportId>(ExportId.TryParse, out var before))
            return Problems.Of(ProblemCodes.InvalidCursor);
        var rows = await store.ListAsync(caller, state, dataset, before, paging.WithNext, cancellationToken);
        return TypedResults.Ok(paging.Of(rows, row => views.Show(row), row => row.ExportId.ToString()));
    }
}
