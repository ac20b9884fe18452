namespace ClaimCheck.Service.Receipts;

/// <summary>Further offers to one consumer: its transient failures as a new export, or the same batch once more.</summary>
internal static class OfferEndpoints
{
    public static IEndpointRouteBuilder MapOffers(this IEndpointRouteBuilder routes)
    {
        var batch = routes.MapGroup("/v1/batches/{batchId}").WithTags("Receipts")
            .ProducesProblems(400, 401, 403, 404, 409, 410, 413, 415, 422, 503);
        batch.MapPost("/retries", Retry).WithName("RetryFailures")
            .WithSummary("A new export of one consumer's transient failures alone.")
            .Accepts<ConsumerRequest>("application/json");
        batch.MapPost("/redeliveries", Redeliver).WithName("RedeliverBatch")
            .WithSummary("BulkReady once more, to one consumer alone.")
            .Accepts<ConsumerRequest>("application/json");
        return routes;
    }

    private static async Task<Results<Accepted<Export>, ProblemResult>> Retry(
        string batchId, HttpContext context, Caller caller, Retries retries, ExportViews views,
        CancellationToken cancellationToken)
    {
        var (id, consumer, refusal) = await ReadAsync(batchId, context.Request, cancellationToken);
        if (refusal is not null)
            return refusal;
        var (retry, refused) = await retries.AskAsync(caller, id, consumer, cancellationToken);
        if (refused is not null)
            return Problems.Of(refused);
        Waiting.AskAgain(context);
        return TypedResults.Accepted(
            ExportViews.PathOf(retry!.ExportId), await views.ShowWithStagingAsync(retry, cancellationToken));
    }

    private static async Task<Results<Accepted<Redelivery>, ProblemResult>> Redeliver(
        string batchId, HttpContext context, Caller caller, Redeliveries redeliveries, CancellationToken cancellationToken)
    {
        var (id, consumer, refusal) = await ReadAsync(batchId, context.Request, cancellationToken);
        if (refusal is not null)
            return refusal;
        var (redelivery, refused) = await redeliveries.AskAsync(caller, id, consumer, cancellationToken);
        if (refused is not null)
            return Problems.Of(refused);
        return TypedResults.Accepted($"/v1/batches/{id}/receipts/{consumer}", redelivery!);
    }

    private static async Task<(BatchId Batch, string Consumer, ProblemResult? Refusal)> ReadAsync(
        string batchId, HttpRequest request, CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id))
            return (default, "", Problems.NotFound("batch"));
        var (body, malformed) = await JsonBody.ReadAsync(request, cancellationToken);
        if (malformed is not null)
            return (id, "", malformed);
        var (consumer, errors) = ReportReader.ReadConsumer(body!.Value);
        return consumer is null ? (id, "", Problems.Invalid(errors)) : (id, consumer, null);
    }
}
