using Microsoft.AspNetCore.Http.HttpResults;

namespace ClaimCheck.Adapter.Exports;

/// <summary>The calls of consumer systems: request an export, see its progress, cancel it.</summary>
internal static class OnDemandEndpoints
{
    private const string ListCall = "exports";
    private const int LongestReason = 1024;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RemoveWithin = TimeSpan.FromSeconds(10);

    public static IEndpointRouteBuilder MapExports(this IEndpointRouteBuilder routes)
    {
        var exports = routes.MapGroup("/exports").NoStore();
        exports.MapPost("", Create);
        exports.MapMethods("", [HttpMethods.Get, HttpMethods.Head], List).ReadsPaging();
        exports.MapMethods("/{id}", [HttpMethods.Get, HttpMethods.Head], Get);
        exports.MapDelete("/{id}", Delete);
        return routes;
    }

    /// <summary>
    /// Answers with the outcome of a delivery that was just requested: the caller is told about a refusal by the service.
    /// </summary>
    public static async Task<Results<Accepted<ExportView>, Ok<ExportView>, ProblemResult>> AnswerAsync(
        Delivery delivery, HttpContext context, AskAgain askAgain, CancellationToken cancellationToken)
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
        if ((delivery.Refusal
            ?? (document is { State: DeliveryState.Failed, ExportId: null } ? document.Failure : null)) is { } failure)
        {
            return failure.Code == ProblemCodes.IdempotencyKeyReused
                ? Problems.Of(ProblemCodes.IdempotencyKeyReused)
                : Problems.Of(ProblemCodes.ValidationFailed, $"The service refused it. {failure.Detail}", failure.Errors);
        }

        if (document.HasEnded || document.State == DeliveryState.Delivered)
            return TypedResults.Ok(new ExportView(document));
        askAgain.Tell(context);
        return TypedResults.Accepted($"/exports/{document.Id}", new ExportView(document));
    }

    private static async Task<Results<Accepted<ExportView>, Ok<ExportView>, ProblemResult>> Create(
        HttpContext context, ApiCaller caller, CheckedAdapterOptions options, DeliveryBook book, AskAgain askAgain,
        CancellationToken cancellationToken)
    {
        if (IdempotencyKey.Read(context.Request, out var key) is { } badKey)
            return badKey;
        var (body, refusal) = await JsonBody.ReadAsync(context.Request, cancellationToken);
        if (refusal is not null)
            return refusal;
        var (request, errors) = RequestReader.Read(body!.Value, options, caller);
        if (request is null)
            return Problems.Invalid(errors);

        // The caller's name is part of the origin: two callers may choose the same key.
        var asked = request.Route.Request(request.Criteria);
        var (delivery, isNew) = await book.BeginAsync(request.Route,
            $"request {caller.Name} {key ?? Guid.CreateVersion7().ToString("N")}", asked, caller.Name, cancellationToken);
        if (!isNew && !MeansTheSame(delivery.Document.Request, asked))
        {
            delivery.EndAwait();
            return Problems.Of(ProblemCodes.IdempotencyKeyReused);
        }

        return await AnswerAsync(delivery, context, askAgain, cancellationToken);
    }

    private static async Task<Results<Ok<ExportView>, ProblemResult>> Get(
        string id, HttpContext context, ApiCaller caller, CheckedAdapterOptions options, DeliveryBook book, DeliveryLinks links,
        AskAgain askAgain, CancellationToken cancellationToken)
    {
        if (Find(id, caller, options, book) is not var (delivery, route))
            return Problems.NotFound("export");
        var document = delivery.Document;
        if (!document.HasEnded && document.State != DeliveryState.Delivered)
            askAgain.Tell(context);
        return TypedResults.Ok(new ExportView(document, await links.TryMintAsync(route, document, cancellationToken)));
    }

    private static async Task<Results<Ok<ExportView>, Accepted<ExportView>, ProblemResult>> Delete(
        string id, string? reason, HttpContext context, ApiCaller caller, CheckedAdapterOptions options, DeliveryBook book,
        AskAgain askAgain, CancellationToken cancellationToken)
    {
        if (Find(id, caller, options, book) is not var (delivery, _))
            return Problems.NotFound("export");
        if (reason?.Length > LongestReason || reason?.Any(char.IsControl) == true)
            return Problems.Of(ProblemCodes.InvalidParameter, $"reason must be text of at most {LongestReason} characters.");
        await delivery.ChangeAsync(document => document.CancelAsked(reason), cancellationToken);
        await delivery.LeavesAsync(DeliveryState.Cancelling, RemoveWithin, cancellationToken);
        if (delivery.Document.HasEnded)
            return TypedResults.Ok(new ExportView(delivery.Document));
        askAgain.Tell(context);
        return TypedResults.Accepted($"/exports/{delivery.Document.Id}", new ExportView(delivery.Document));
    }

    private static Results<Ok<Page<ExportView>>, ProblemResult> List(
        HttpContext context, string? route, ApiCaller caller, CheckedAdapterOptions options, DeliveryBook book)
    {
        if (Paging.Read(context.Request, ListCall, out var refusal) is not { } paging)
            return refusal!;
        (DateTimeOffset At, string Id)? after = null;
        if (paging.After is not null && (after = PlaceOf(paging.After)) is null)
            return Problems.Of(ProblemCodes.InvalidCursor);
        if (route is not null && options.Find(route)?.IsFor(caller.Name) != true)
            return Problems.Of(ProblemCodes.InvalidParameter, "route must be the name of a route; GET /routes lists them.");
        var visible = book.All.Select(delivery => delivery.Document)
            .Where(document =>
                (route is null || document.Route == route) && options.Find(document.Route)?.IsFor(caller.Name) == true)
            .Where(document => after is null || IsBehind(document, after.Value))
            .Take(paging.WithNext).ToList();
        return TypedResults.Ok(
            paging.Of(visible, document => new ExportView(document), document => $"{document.CreatedAt.UtcTicks} {document.Id}"));
    }

    // The list is newest first, and of one time by id.
    private static bool IsBehind(DeliveryDocument document, (DateTimeOffset At, string Id) place) =>
        document.CreatedAt < place.At || (document.CreatedAt == place.At && string.CompareOrdinal(document.Id, place.Id) < 0);

    private static (DateTimeOffset At, string Id)? PlaceOf(string cursor) =>
        cursor.Split(' ') is [var ticks, var id]
        && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
        && at <= DateTimeOffset.MaxValue.UtcTicks
            ? (new(at, TimeSpan.Zero), id)
            : null;

    // A route that a caller may not use does not exist for it.
    private static (Delivery Delivery, Route Route)? Find(
        string id, ApiCaller caller, CheckedAdapterOptions options, DeliveryBook book) =>
        book.Find(id) is { } delivery && options.Find(delivery.Document.Route) is { } route && route.IsFor(caller.Name)
            ? (delivery, route)
            : null;

    private static bool MeansTheSame(ExportRequest? one, ExportRequest other) =>
        one is not null && JsonElement.DeepEquals(
            JsonSerializer.SerializeToElement(one, ClaimCheckJson.Options),
            JsonSerializer.SerializeToElement(other, ClaimCheckJson.Options));
}
