namespace ClaimCheck.Service.Receipts;

/// <summary>What each consumer reports on a batch.</summary>
internal static class ReceiptEndpoints
{
    private const string ListCall = "receipts";
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapReceiptCalls(this IEndpointRouteBuilder routes)
    {
        var receipts = routes.MapGroup("/v1/batches/{batchId}/receipts").WithTags("Receipts").ProducesProblems(401, 404);
        receipts.MapMethods("", Read, List).WithName("ListReceipts")
            .WithSummary("One row per consumer, including those that have not reported yet.")
            .ReadsPaging().ProducesProblems(400);
        receipts.MapMethods("/{consumer}", Read, Get).WithName("GetReceipt")
            .WithSummary("One consumer's receipt, with the outcomes of retries folded in.");
        receipts.MapPut("/{consumer}", Put).WithName("PutReceipt")
            .WithSummary("Replaces a consumer's state, counts and checkpoint.")
            .Accepts<ReceiptReport>("application/json").ProducesProblems(400, 403, 409, 410, 413, 415, 422, 503);
        return routes;
    }

    private static async Task<Results<Ok<Page<Receipt>>, ProblemResult>> List(
        string batchId, HttpContext context, Caller caller, ExportStore store, ReceiptViews views,
        CancellationToken cancellationToken)
    {
        if (Paging.Read(context.Request, ListCall, out var refusal) is not { } paging)
            return refusal!;
        if (paging.After is not null && !Caller.IsConsumer(paging.After))
            return Problems.Of(ProblemCodes.InvalidCursor);
        if (!BatchId.TryParse(batchId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } batch)
            return Problems.NotFound("batch");
        var receipts = await views.ListAsync(batch, paging.After, paging.WithNext, cancellationToken);
        return TypedResults.Ok(paging.Of(receipts, receipt => receipt, receipt => receipt.Consumer));
    }

    private static async Task<Results<Ok<Receipt>, ProblemResult>> Get(
        string batchId, string consumer, Caller caller, ExportStore store, ReceiptViews views,
        CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } batch)
            return Problems.NotFound("batch");
        if (!Caller.IsConsumer(consumer) || await views.ShowAsync(batch, consumer, cancellationToken) is not { } receipt)
            return Problems.NotFound("receipt");
        return TypedResults.Ok(receipt);
    }

    private static async Task<Results<Ok<Receipt>, ProblemResult>> Put(
        string batchId, string consumer, HttpContext context, Caller caller, ReceiptReports reports, ReceiptViews views,
        CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id))
            return Problems.NotFound("batch");
        if (!Caller.IsConsumer(consumer))
            return Problems.NotFound("consumer");
        var (body, malformed) = await JsonBody.ReadAsync(context.Request, cancellationToken);
        if (malformed is not null)
            return malformed;
        var (report, errors) = ReportReader.ReadReport(body!.Value);
        if (report is null)
            return Problems.Invalid(errors);
        var (batch, refusal) = await reports.TakeAsync(caller, id, consumer, report, cancellationToken);
        if (refusal is not null)
            return Problems.Of(refusal);
        return TypedResults.Ok(await views.ShowAsync(batch!, consumer, cancellationToken));
    }
}
