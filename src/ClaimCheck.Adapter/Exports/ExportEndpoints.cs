using System.Globalization;
using System.Text.Json;
using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Adapter.Hosting;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Contracts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ClaimCheck.Adapter.Exports;

/// <summary>The calls of consumer systems: request an export, see its progress, cancel it.</summary>
internal static class ExportEndpoints
{
    private const int LongestReason = 1024;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RemoveWithin = TimeSpan.FromSeconds(10);

    public static IEndpointRouteBuilder MapExports(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/exports", Create);
        routes.MapMethods("/exports", [HttpMethods.Get, HttpMethods.Head], List).ReadsPaging();
        routes.MapMethods("/exports/{id}", [HttpMethods.Get, HttpMethods.Head], Get);
        routes.MapDelete("/exports/{id}", Delete);
        return routes;
    }

    /// <summary>
    /// Answers with the outcome of a delivery that was just requested: the caller is told about a refusal by the service.
    /// </summary>
    public static async Task<Results<Accepted<ExportView>, Ok<ExportView>, ProblemResult>> AnswerAsync(
        Delivery delivery, HttpContext context, AdapterSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            await delivery.LeavesAsync(DeliveryState.Requested, AnswerWithin, cancellationToken);
        }
        finally
        {
            delivery.EndAwait();
        }

        var document = delivery.Document;
        // A refusal that came after its caller had gone is kept, so that it can ask again.
        if ((delivery.Refusal ?? (document is { State: DeliveryState.Failed, ExportId: null } ? document.Failure : null)) is { } failure)
        {
            return failure.Code == ProblemCodes.IdempotencyKeyReused
                ? Problems.Of(ProblemCodes.IdempotencyKeyReused)
                : Problems.Of(ProblemCodes.ValidationFailed, $"The service refused it. {failure.Detail}", failure.Errors);
        }

        NoStore(context);
        if (document.HasEnded || document.State == DeliveryState.Delivered)
            return TypedResults.Ok(ExportView.Of(document));
        RetryAfter(context, settings);
        return TypedResults.Accepted($"/exports/{document.Id}", ExportView.Of(document));
    }

    private static async Task<Results<Accepted<ExportView>, Ok<ExportView>, ProblemResult>> Create(
        HttpContext context, Caller caller, AdapterSettings settings, DeliveryBook book, CancellationToken cancellationToken)
    {
        if (RequestKey.Read(context.Request, out var key) is { } badKey)
            return badKey;
        var (body, refusal) = await JsonBody.ReadAsync(context.Request, cancellationToken);
        if (refusal is not null)
            return refusal;
        var (request, errors) = RequestReader.Read(body!.Value, settings, caller);
        if (request is null)
            return Problems.Invalid(errors);

        // The caller's name is part of the origin: two callers may choose the same key.
        var asked = request.Route.Request(request.Criteria);
        var (delivery, isNew) = await book.BeginAsync(request.Route, $"request {caller.Name} {key ?? Guid.CreateVersion7().ToString("N")}", asked, caller.Name, cancellationToken);
        if (!isNew && !MeansTheSame(delivery.Document.Request, asked))
        {
            delivery.EndAwait();
            return Problems.Of(ProblemCodes.IdempotencyKeyReused);
        }

        return await AnswerAsync(delivery, context, settings, cancellationToken);
    }

    private static async Task<Results<Ok<ExportView>, ProblemResult>> Get(
        string id, HttpContext context, Caller caller, AdapterSettings settings, DeliveryBook book, DeliveryLinks links, CancellationToken cancellationToken)
    {
        if (Find(id, caller, settings, book) is not var (delivery, route))
            return Problems.NotFound("export");
        var document = delivery.Document;
        NoStore(context);
        if (!document.HasEnded && document.State != DeliveryState.Delivered)
            RetryAfter(context, settings);
        return TypedResults.Ok(ExportView.Of(document, await links.TryMintAsync(route, document, cancellationToken)));
    }

    private static async Task<Results<Ok<ExportView>, Accepted<ExportView>, ProblemResult>> Delete(
        string id, string? reason, HttpContext context, Caller caller, AdapterSettings settings, DeliveryBook book, CancellationToken cancellationToken)
    {
        if (Find(id, caller, settings, book) is not var (delivery, _))
            return Problems.NotFound("export");
        if (reason?.Length > LongestReason || reason?.Any(char.IsControl) == true)
            return Problems.Of(ProblemCodes.InvalidParameter, $"reason must be text of at most {LongestReason} characters.");
        await delivery.ChangeAsync(document => document.CancelAsked(reason), cancellationToken);
        await delivery.LeavesAsync(DeliveryState.Cancelling, RemoveWithin, cancellationToken);
        NoStore(context);
        if (delivery.Document.HasEnded)
            return TypedResults.Ok(ExportView.Of(delivery.Document));
        RetryAfter(context, settings);
        return TypedResults.Accepted($"/exports/{delivery.Document.Id}", ExportView.Of(delivery.Document));
    }

    private static Results<Ok<Page<ExportView>>, ProblemResult> List(
        HttpContext context, string? route, Caller caller, AdapterSettings settings, DeliveryBook book)
    {
        if (Paging.Read(context.Request, out var refusal) is not { } paging)
            return refusal!;
        if (route is not null && settings.Find(route)?.IsFor(caller.Name) != true)
            return Problems.Of(ProblemCodes.InvalidParameter, "route must be the name of a route; GET /routes lists them.");
        var visible = book.All.Select(delivery => delivery.Document)
            .Where(document => (route is null || document.Route == route) && settings.Find(document.Route)?.IsFor(caller.Name) == true)
            .Where(document => paging.IsAfter(document.CreatedAt, document.Id))
            .Take(paging.Limit + 1).ToList();
        var page = visible.Take(paging.Limit).ToList();
        NoStore(context);
        return TypedResults.Ok(new Page<ExportView>(
            [.. page.Select(document => ExportView.Of(document))],
            visible.Count > paging.Limit ? Paging.Cursor(page[^1].CreatedAt, page[^1].Id) : null));
    }

    // A route that a caller may not use does not exist for it.
    private static (Delivery Delivery, Route Route)? Find(string id, Caller caller, AdapterSettings settings, DeliveryBook book) =>
        book.Find(id) is { } delivery && settings.Find(delivery.Document.Route) is { } route && route.IsFor(caller.Name) ? (delivery, route) : null;

    private static bool MeansTheSame(ExportRequest? one, ExportRequest other) =>
        one is not null && JsonElement.DeepEquals(JsonSerializer.SerializeToElement(one, ClaimCheckJson.Options), JsonSerializer.SerializeToElement(other, ClaimCheckJson.Options));

    private static void RetryAfter(HttpContext context, AdapterSettings settings) =>
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(settings.Polling.Interval.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    private static void NoStore(HttpContext context) => context.Response.Headers.CacheControl = "no-store";
}
