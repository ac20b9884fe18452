using System.Diagnostics;
using ClaimCheck.Import.Reading;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClaimCheck.Adapter.Imports;

/// <summary>The runs of import routes: list, see failures, cancel, retry failures.</summary>
internal static class ImportEndpoints
{
    private const string ListCall = "imports";
    private static readonly TimeSpan CancelWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CancelLook = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapImports(this IEndpointRouteBuilder routes)
    {
        var imports = routes.MapGroup("/imports").NoStore();
        var classes = new ReadParameter("class", false, "transient or terminal; both by default.", IsRepeatable: true);
        imports.MapMethods("", Read, List).ReadsPaging();
        imports.MapMethods("/{id}", Read, Get);
        imports.MapMethods("/{id}/report", Read, Report);
        imports.MapMethods("/{id}/failures", Read, Failures).WithMetadata(classes);
        imports.MapDelete("/{id}", Cancel);
        imports.MapPost("/{id}/retry", Retry).WithMetadata(classes);
        return routes;
    }

    private static async Task<Results<Ok<Page<ImportView>>, ProblemResult>> List(
        HttpContext context, string? route, ApiCaller caller, WatchedRoutes routes, CancellationToken cancellationToken)
    {
        if (Paging.Read(context.Request, ListCall, out var refusal) is not { } paging)
            return refusal!;
        if (route is not null && !routes.For(caller).Any(watched => watched.Route.Name == route))
            return Problems.Of(
                ProblemCodes.InvalidParameter, "route must be the name of a route that imports; GET /routes lists them.");
        // Ids begin with the time, and are unique: they define the order.
        var found = routes.List(
            caller, route, id => paging.After is null || string.CompareOrdinal(id, paging.After) < 0, paging.Limit + 1);
        var page = new List<ImportView>();
        foreach (var (watched, runId) in found.Take(paging.Limit))
        {
            if (await watched.Runs.TryShowAsync(runId, cancellationToken) is { } run)
                page.Add(new ImportView(watched.Route, run, watched.LastFailureOf(run.RunId)));
        }

        return TypedResults.Ok(new Page<ImportView>(
            page, found.Count > paging.Limit ? Paging.Cursor(ListCall, found[paging.Limit - 1].RunId) : null));
    }

    private static async Task<Results<Ok<ImportView>, ProblemResult>> Get(
        string id, HttpContext context, ApiCaller caller, AskAgain askAgain, WatchedRoutes routes,
        CancellationToken cancellationToken)
    {
        if (routes.FindRun(id, caller) is not { } watched || await ShowAsync(watched, id, cancellationToken) is not { } import)
            return Problems.NotFound("import");
        if (!import.HasEnded)
            askAgain.Tell(context);
        return TypedResults.Ok(import);
    }

    private static async Task<Results<Ok<ImportReportView>, ProblemResult>> Report(
        string id, ApiCaller caller, WatchedRoutes routes, CancellationToken cancellationToken)
    {
        if (routes.FindRun(id, caller) is not { } watched)
            return Problems.NotFound("import");
        var report = await ImportReport.ReadAsync(watched.Runs, id, cancellationToken);
        return TypedResults.Ok(new ImportReportView(new ImportView(watched.Route, report.Run), report.Failures));
    }

    private static Results<PushStreamHttpResult, ProblemResult> Failures(
        string id, HttpContext context, ApiCaller caller, WatchedRoutes routes)
    {
        if (routes.FindRun(id, caller) is not { } watched)
            return Problems.NotFound("import");
        if (ClassesOf(context.Request) is not { } classes)
            return UnknownClass();
        return TypedResults.Stream(
            async body =>
            {
                if (HttpMethods.IsHead(context.Request.Method))
                    return;
                await using var writer = new StreamWriter(body, leaveOpen: true);
                await foreach (var line in watched.Runs.DirectoryOf(id).RejectLinesAsync(context.RequestAborted))
                {
                    if (classes.Count == 0 || classes.Contains(ClassOf(line)))
                        await writer.WriteAsync($"{line}\n".AsMemory(), context.RequestAborted);
                }
            },
            "application/x-ndjson");
    }

    private static async Task<Results<Ok<ImportView>, Accepted<ImportView>, ProblemResult>> Cancel(
        string id, HttpContext context, ApiCaller caller, AskAgain askAgain, WatchedRoutes routes,
        CancellationToken cancellationToken)
    {
        if (routes.FindRun(id, caller) is not { } watched)
            return Problems.NotFound("import");
        try
        {
            await watched.Runs.CancelAsync(id, cancellationToken);
        }
        catch (ImportException e) when (e.Code == ImportCodes.RunEnded)
        {
            // Cancelled as requested, or too late: the answer shows which.
        }

        ImportView? import;
        for (var watch = Stopwatch.StartNew(); (import = await ShowAsync(watched, id, cancellationToken)) is { HasEnded: false }
            && watch.Elapsed < CancelWithin;)
            await Task.Delay(CancelLook, cancellationToken);
        if (import is null)
            return Problems.NotFound("import");
        if (import.HasEnded)
            return TypedResults.Ok(import);
        askAgain.Tell(context);
        return TypedResults.Accepted(import.Links.Self, import);
    }

    private static async Task<Results<Accepted<ImportView>, Ok<ImportView>, ProblemResult>> Retry(
        string id, HttpContext context, ApiCaller caller, AskAgain askAgain, WatchedRoutes routes,
        CancellationToken cancellationToken)
    {
        if (routes.FindRun(id, caller) is not { } watched)
            return Problems.NotFound("import");
        if (ClassesOf(context.Request) is not { } classes)
            return UnknownClass();
        if (classes.Count == 0)
            classes = [RejectClass.Transient];
        // Asked for again: the existing retry.
        if (await watched.Runs.ShowAsync(id, cancellationToken) is { Retries: var made }
            && classes.Select(each => made.GetValueOrDefault(each)).Distinct().ToList() is [{ } known]
            && await ShowAsync(watched, known, cancellationToken) is { } earlier)
        {
            return TypedResults.Ok(earlier);
        }

        string retry;
        try
        {
            retry = await watched.RetryAsync(id, classes, cancellationToken);
        }
        catch (ImportException e) when (e.Code == ImportCodes.RunBusy)
        {
            return Problems.Of(ProblemCodes.JobRunning, retryAfter: askAgain.After);
        }
        catch (ImportException e) when (e.Code == ImportCodes.NothingToRetry)
        {
            return Problems.Of(ProblemCodes.NothingToRetry, e.Message);
        }

        askAgain.Tell(context);
        return TypedResults.Accepted($"/imports/{retry}", await ShowAsync(watched, retry, cancellationToken));
    }

    private static async Task<ImportView?> ShowAsync(WatchedRoute watched, string id, CancellationToken cancellationToken) =>
        await watched.Runs.TryShowAsync(id, cancellationToken) is { } run
            ? new ImportView(watched.Route, run, watched.LastFailureOf(run.RunId))
            : null;

    /// <returns>None where none is asked for; null where one is unknown.</returns>
    private static List<string>? ClassesOf(HttpRequest request)
    {
        List<string> classes = [.. request.Query["class"].OfType<string>().Distinct(StringComparer.Ordinal)];
        return classes.TrueForAll(each => RejectClass.All.Contains(each, StringComparer.Ordinal)) ? classes : null;
    }

    private static ProblemResult UnknownClass() =>
        Problems.Of(
            ProblemCodes.InvalidParameter,
            $"class must be one of {string.Join(", ", RejectClass.All)}; it may be given more than once.");

    private static string ClassOf(string line) => RejectLine.Read(line).Class!;
}
