using ClaimCheck.Adapter.Exports;
using ClaimCheck.Adapter.Schedules;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClaimCheck.Adapter.Operations;

/// <summary>A route, as callers see it.</summary>
/// <param name="LastFailure">Why its schedule, its retention or the watch of its source fails at present; or null.</param>
internal sealed record RouteView(
    string Name, string Pattern, string? Dataset, string? Cron, string? TimeZone, DateTimeOffset? LastFireAt,
    DateTimeOffset? NextFireAt,
    IReadOnlyDictionary<string, int> States, IReadOnlyList<RouteRun> Last, StepFailure? LastFailure);

/// <summary>One of a route's last deliveries, or imports.</summary>
/// <param name="Origin">What triggered it; for an import the file.</param>
/// <param name="DeliveredAt">When it was done.</param>
internal sealed record RouteRun(
    string Id, string State, string Origin, DateTimeOffset CreatedAt, DateTimeOffset? DeliveredAt, DeliveryFailure? Failure,
    StepFailure? LastFailure);

/// <summary>The routes with their times; and the call that triggers a route now.</summary>
internal static class RouteEndpoints
{
    private const int LastRuns = 5;

    public static IEndpointRouteBuilder MapRoutes(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/routes", [HttpMethods.Get, HttpMethods.Head], List).NoStore();
        routes.MapPost("/routes/{name}/runs", Run).NoStore();
        return routes;
    }

    private static async Task<Ok<Page<RouteView>>> List(
        ApiCaller caller, CheckedAdapterOptions options, DeliveryBook book, RouteScheduleWorker schedules, RouteFailures failures,
        WatchedRoutes imports, CancellationToken cancellationToken)
    {
        var byRoute = book.All.Select(delivery => delivery.Document).ToLookup(document => document.Route, StringComparer.Ordinal);
        var views = options.Routes.Where(route => route.IsFor(caller.Name))
            .Select(route => Show(route, [.. byRoute[route.Name]], schedules, failures.Of(route.Name))).ToList();
        foreach (var watched in imports.For(caller))
            views.Add(await ShowAsync(watched, cancellationToken));
        return TypedResults.Ok(new Page<RouteView>(views, null));
    }

    // Starts a scheduled route now, for an external scheduler. The request body is empty: the route's options define the export.
    private static async Task<Results<Accepted<ExportView>, Ok<ExportView>, ProblemResult>> Run(
        string name, HttpContext context, ApiCaller caller, CheckedAdapterOptions options, DeliveryBook book, AskAgain askAgain,
        CancellationToken cancellationToken)
    {
        if (options.Find(name) is not { IsOnDemand: false } route || !route.IsFor(caller.Name))
            return Problems.NotFound("scheduled route");
        if (IdempotencyKey.Read(context.Request, out var key) is { } badKey)
            return badKey;
        var (delivery, _) = await book.BeginAsync(route, $"run {caller.Name} {key ?? Guid.CreateVersion7().ToString("N")}",
            route.Request(), caller.Name, cancellationToken);
        return await OnDemandEndpoints.AnswerAsync(delivery, context, askAgain, cancellationToken);
    }

    private static RouteView Show(
        Route route, List<DeliveryDocument> documents, RouteScheduleWorker schedules, StepFailure? lastFailure) => new(
            route.Name, $"ar-{(int)route.Pattern}", route.Dataset, route.Cron?.CronExpressionString, route.Cron?.TimeZone.Id,
            schedules.LastFireOf(route), schedules.NextFireOf(route),
            documents.CountBy(document => document.State)
                .ToDictionary(each => NameOf(each.Key), each => each.Value, StringComparer.Ordinal),
            [.. documents.Take(LastRuns).Select(each => new RouteRun(
                each.Id, NameOf(each.State), each.Origin, each.CreatedAt, each.DeliveredAt, each.Failure, each.LastFailure))],
            lastFailure);

    private static async Task<RouteView> ShowAsync(WatchedRoute watched, CancellationToken cancellationToken)
    {
        var last = await watched.Runs.NewestAsync(LastRuns, cancellationToken);
        return new(
            watched.Route.Name, "import", null, null, null, null, null, await watched.Runs.StatesAsync(cancellationToken),
            [.. last.Select(run => new RouteRun(
                run.RunId, run.State, run.File, run.StartedAt, run.State == RunState.Completed ? run.EndedAt : null,
                run.Failure is { } failure ? new(failure.Code, failure.Detail) : null, watched.LastFailureOf(run.RunId)))],
            watched.LastFailure);
    }

    private static string NameOf(DeliveryState state) => state.ToString().ToLowerInvariant();
}
