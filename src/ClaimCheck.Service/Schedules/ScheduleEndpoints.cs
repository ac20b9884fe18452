namespace ClaimCheck.Service.Schedules;

/// <summary>Exports on a schedule: put, read, run now, delete.</summary>
internal static partial class ScheduleEndpoints
{
    private const string ListCall = "schedules";
    private const string RunsCall = "schedule-runs";
    private static readonly string[] GetAndHead = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapSchedules(this IEndpointRouteBuilder routes)
    {
        var schedules = routes.MapGroup("/v1/schedules").WithTags("Schedules").ProducesProblems(401);
        schedules.MapMethods("", GetAndHead, List).WithName("ListSchedules").WithSummary("Lists schedules, by name.")
            .ReadsPaging().ProducesProblems(400);
        schedules.MapPut("/{name}", PutSchedule).WithName("PutSchedule").WithSummary("Creates or replaces a schedule.")
            .Accepts<ScheduleRequest>("application/json")
            .ReadsHeader("If-Match", "Only where this is still its entity tag.")
            .ReadsHeader("If-None-Match", "*: only where no schedule has that name.")
            .ProducesProblems(400, 409, 412, 413, 415, 422, 503);
        schedules.MapMethods("/{name}", GetAndHead, Get).WithName("GetSchedule")
            .WithSummary("One schedule, with the next ten times.").ProducesProblems(404);
        schedules.MapDelete("/{name}", Delete).WithName("DeleteSchedule")
            .WithSummary("Deletes a schedule and its history. Its exports continue.")
            .ReadsHeader("If-Match", "Only where this is still its entity tag.").ProducesProblems(404, 412);
        schedules.MapMethods("/{name}/runs", GetAndHead, Runs).WithName("ListScheduleRuns")
            .WithSummary("Its history, latest first.")
            .ReadsPaging().ProducesProblems(400, 404);
        schedules.MapMethods("/{name}/runs/{runId}", GetAndHead, Run).WithName("GetScheduleRun").WithSummary("One run.")
            .ProducesProblems(404);
        schedules.MapPost("/{name}/run", RunNow).WithName("RunSchedule").WithSummary("Runs it now.")
            .ReadsHeader("Idempotency-Key", "The same key is the same run.").ProducesProblems(400, 404, 409);
        return routes;
    }

    private static async Task<Results<Created<Schedule>, Ok<Schedule>, ProblemResult>> PutSchedule(
        string name, HttpContext context, Caller caller, ScheduleStore store, ScheduleViews views,
        CancellationToken cancellationToken)
    {
        if (!Name().IsMatch(name))
        {
            return Problems.Invalid(new Dictionary<string, string[]>(StringComparer.Ordinal)
            {
                ["name"] = ["Must be lower-case letters, digits, '.', '-' and '_', a letter or digit first, 63 at most."],
            });
        }

        var (body, refusal) = await JsonBody.ReadAsync(context.Request, cancellationToken);
        if (refusal is not null)
            return refusal;
        switch (await store.PutAsync(caller, name, body!.Value, known => Holds(context.Request, known), cancellationToken))
        {
            case Put.Stored(var row, var isNew):
                context.Response.Headers.ETag = row.Tag;
                return isNew
                    ? TypedResults.Created(ScheduleViews.PathOf(name), views.Show(row))
                    : TypedResults.Ok(views.Show(row));
            case Put.Invalid(var errors):
                return Problems.Invalid(errors);
            case Put.Unavailable(var why):
                return Problems.Of(Refusals.Unavailable(why));
            case Put.TooMany:
                return Problems.Of(ProblemCodes.LimitReached, $"There are {ScheduleStore.Most} schedules.");
            default:
                return Problems.Of(ProblemCodes.PreconditionFailed);
        }
    }

    private static async Task<Results<Ok<Schedule>, ProblemResult>> Get(
        string name, HttpContext context, Caller caller, ScheduleStore store, ScheduleViews views,
        CancellationToken cancellationToken)
    {
        if (await FindAsync(name, caller, store, cancellationToken) is not { } row)
            return Problems.NotFound("schedule");
        context.Response.Headers.ETag = row.Tag;
        return TypedResults.Ok(views.Show(row));
    }

    private static async Task<Results<Ok<Page<Schedule>>, ProblemResult>> List(
        HttpContext context, Caller caller, ScheduleStore store, ScheduleViews views, CancellationToken cancellationToken)
    {
        if (Paging.Read(context.Request, ListCall, out var refusal) is not { } paging)
            return refusal!;
        if (paging.After?.Contains('\0', StringComparison.Ordinal) == true)
            return Problems.Of(ProblemCodes.InvalidCursor);
        var rows = await store.ListAsync(caller, paging.After, paging.WithNext, cancellationToken);
        return TypedResults.Ok(paging.Of(rows, row => views.Show(row), row => row.Name));
    }

    private static async Task<Results<NoContent, ProblemResult>> Delete(
        string name, HttpRequest request, Caller caller, ScheduleStore store, CancellationToken cancellationToken) =>
        await (Name().IsMatch(name)
            ? store.DeleteAsync(caller, name, known => Holds(request, known), cancellationToken)
            : Task.FromResult<bool?>(null)) switch
        {
            true => TypedResults.NoContent(),
            false => Problems.Of(ProblemCodes.PreconditionFailed),
            null => Problems.NotFound("schedule"),
        };

    private static async Task<Results<Ok<Page<ScheduleRun>>, ProblemResult>> Runs(
        string name, HttpContext context, Caller caller, ScheduleStore store, RunHistory history, ScheduleViews views,
        CancellationToken cancellationToken)
    {
        if (Paging.Read(context.Request, RunsCall, out var refusal) is not { } paging)
            return refusal!;
        DateTimeOffset? before = null;
        if (paging.After is not null)
        {
            if (!long.TryParse(paging.After, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                || ticks > DateTime.MaxValue.Ticks)
                return Problems.Of(ProblemCodes.InvalidCursor);
            before = new DateTimeOffset(ticks, TimeSpan.Zero);
        }

        if (await FindAsync(name, caller, store, cancellationToken) is not { } schedule)
            return Problems.NotFound("schedule");
        var rows = await history.ListAsync(schedule.Id, before, paging.WithNext, cancellationToken);
        return TypedResults.Ok(paging.Of(
            rows, run => views.Show(schedule, run), run => run.FireTime.UtcTicks.ToString(CultureInfo.InvariantCulture)));
    }

    private static async Task<Results<Ok<ScheduleRun>, ProblemResult>> Run(
        string name, string runId, Caller caller, ScheduleStore store, RunHistory history, ScheduleViews views,
        CancellationToken cancellationToken) =>
        ScheduleRunId.TryParse(runId, out var id)
        && await FindAsync(name, caller, store, cancellationToken) is { } schedule
        && await history.FindAsync(schedule.Id, id, cancellationToken) is { } run
            ? TypedResults.Ok(views.Show(schedule, run))
            : Problems.NotFound("run");

    private static async Task<Results<Accepted<ScheduleRun>, ProblemResult>> RunNow(
        string name, HttpContext context, Caller caller, ScheduleStore store, ManualRuns runs, ScheduleViews views,
        CancellationToken cancellationToken)
    {
        if (IdempotencyKey.Read(context.Request, out var key) is { } badKey)
            return badKey;
        if (await FindAsync(name, caller, store, cancellationToken) is not { } schedule)
            return Problems.NotFound("schedule");
        return await runs.RunAsync(schedule, key, cancellationToken) is { } run
            ? TypedResults.Accepted(ScheduleViews.PathOf(name, new(run.Id)), views.Show(schedule, run))
            : Problems.Of(ProblemCodes.RunInProgress);
    }

    private static async Task<ScheduleRow?> FindAsync(
        string name, Caller caller, ScheduleStore store, CancellationToken cancellationToken) =>
        Name().IsMatch(name) ? await store.FindAsync(caller, name, cancellationToken) : null;

    // RFC 9110: If-Match compares strongly, and an asterisk matches any existing one. An unreadable header matches none.
    private static bool Holds(HttpRequest request, ScheduleRow? known)
    {
        var (match, noneMatch) = (request.GetTypedHeaders().IfMatch, request.GetTypedHeaders().IfNoneMatch);
        if (request.Headers.IfMatch.Count > 0
            && (known is null || !match.Any(tag => tag.Tag == "*" || (!tag.IsWeak && tag.Tag == known.Tag))))
            return false;
        return request.Headers.IfNoneMatch.Count == 0 || known is null
            || !noneMatch.Any(tag => tag.Tag == "*" || tag.Tag == known.Tag);
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();
}
