using ClaimCheck.Service.Receipts.Ledger;
using ClaimCheck.Service.Revocation;
using Microsoft.Net.Http.Headers;

namespace ClaimCheck.Service.Batches;

/// <summary>The batch, and the ways to read its data: manifest, one file, one stream.</summary>
internal static class BatchEndpoints
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static IEndpointRouteBuilder MapBatches(this IEndpointRouteBuilder routes)
    {
        var batches = routes.MapGroup("/v1/batches/{batchId}").WithTags("Batches").ProducesProblems(401, 404);
        batches.MapMethods("", Read, GetBatch).WithName("GetBatch")
            .WithSummary("State, counts and expiry of a batch, also after its end.");
        batches.MapMethods("/manifest", Read, GetManifest).WithName("GetManifest")
            .WithSummary("The claim URL: the manifest with fresh links.")
            .ProducesProblems(409, 410, 503);
        batches.MapMethods("/files/{name}", Read, GetFile).WithName("GetFile")
            .WithSummary("One file, or its index: with an Authorization header the file itself, with Range; without one a "
                + "redirect to a link of a few minutes.")
            .ReadsRanges().Produces(200).Produces(206).Produces(307).ProducesProblems(409, 410, 412, 416, 503);
        batches.MapMethods("/data", Read, GetData).WithName("GetData").WithSummary("The whole batch as one stream, with Range.")
            .ReadsRanges().Produces(200).Produces(206).ProducesProblems(409, 410, 412, 416, 503);
        batches.MapMethods("/records", Read, GetRecords).WithName("GetRecords")
            .WithSummary("The records as pages of JSON; a page costs the same wherever it is.")
            .ReadsQuery("limit", "How many at most, 1 to 10000; 100 by default. Large records make shorter pages.")
            .ReadsQuery("cursor", "The nextCursor of the page before.")
            .Produces<Page<JsonElement>>().ProducesProblems(400, 409, 410, 422, 503);
        return routes;
    }

    private static async Task<Results<Ok<Batch>, ProblemResult>> GetBatch(
        string batchId, Caller caller, ExportStore store, RevocationReports reports, ReceiptOverview board, ExportViews views,
        CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id) || await store.FindAsync(caller, id, cancellationToken) is not { } row)
            return Problems.NotFound("batch");
        return TypedResults.Ok(views.Show(
            row,
            await reports.RedeemedAsync(id, cancellationToken),
            await reports.VerifiedAtAsync(id, cancellationToken),
            await board.DeliveryAsync(OverviewOf.Of(row), cancellationToken),
            await board.InShortAsync(OverviewOf.Of(row), cancellationToken)));
    }

    private static async Task<Results<Ok<Manifest>, ProblemResult>> GetManifest(
        string batchId, Caller caller, Claims claims, CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id))
            return Problems.NotFound("batch");
        var claim = await claims.RedeemAsync(id, caller, cancellationToken);
        return claim is Redeemed<Manifest>(var manifest) ? TypedResults.Ok(manifest) : Refusal(claim);
    }

    private static async Task<IResult> GetFile(
        string batchId, string name, HttpContext context, Caller caller, Claims claims, BatchStream stream,
        CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id))
            return Problems.NotFound("batch");
        context.Response.Headers.Vary = HeaderNames.Authorization;
        if (LinkRedirect.WouldCarryAKey(context.Request))
        {
            var stored = await claims.RedeemStoredFileAsync(id, name, caller, cancellationToken);
            return stored is Redeemed<StreamedContent>(var content) ? Answer(stream, content) : Refusal(stored, "file");
        }

        var claim = await claims.RedeemFileAsync(id, name, context.Request.Method, caller, cancellationToken);
        return claim is Redeemed<Link>(var link) ? new LinkRedirect(link) : Refusal(claim, "file");
    }

    private static async Task<IResult> GetData(
        string batchId, Caller caller, Claims claims, BatchStream stream, CancellationToken cancellationToken)
    {
        if (!BatchId.TryParse(batchId, out var id))
            return Problems.NotFound("batch");
        var claim = await claims.RedeemDataAsync(id, caller, cancellationToken);
        return claim is Redeemed<ReadableBatch>(var batch) ? Answer(stream, StreamedContent.Of(batch)) : Refusal(claim);
    }

    private static async Task<IResult> GetRecords(
        string batchId, HttpContext context, Caller caller, Claims claims, RecordPages pages, ExportStore store,
        CancellationToken cancellationToken)
    {
        if (RecordCursor.Read(context.Request, out var limit, out var bad) is not { } cursor)
            return Problems.Of(bad!);
        if (!BatchId.TryParse(batchId, out var id))
            return Problems.NotFound("batch");
        var claim = await claims.RedeemDataAsync(id, caller, cancellationToken);
        if (claim is not Redeemed<ReadableBatch>(var batch))
            return Refusal(claim);
        try
        {
            var page = await pages.ReadAsync(batch, cursor, limit, cancellationToken);
            // If the batch was revoked while the page was read, the page is not returned.
            if (await store.FindAsync(caller, id, cancellationToken) is { EffectiveState: ExportState.Ready })
            {
                if (page is not RecordPage.Read(var json))
                    return Problems.Of(((RecordPage.Declined)page).Why);
                return TypedResults.Bytes(json, "application/json; charset=utf-8");
            }
        }
        catch (StagingException e) when (e.IsMissing)
        {
            // Deleted meanwhile, or missing: the state tells which.
        }

        var row = await store.FindAsync(caller, id, cancellationToken);
        return row is not null && ExportState.IsEnd(row.EffectiveState)
            ? Problems.Of(Refusals.Gone(row.EffectiveState))
            : Problems.Of(ProblemCodes.StagingUnavailable, retryAfter: AskAgain);
    }

    /// <summary>What is staged, with ranges.</summary>
    internal static RangedAnswer Answer(BatchStream stream, StreamedContent content) => new(
        content.Length, content.ETag, content.Content.ContentType, content.Content.FileName, (context, from, length) =>
            stream.SendAsync(context, content, from, length));

    private static ProblemResult Refusal<T>(Claim<T> claim, string what = "batch") => claim switch
    {
        NotReady<T> => Problems.Of(Refusals.NotReady(AskAgain)),
        Ended<T>(var state) => Problems.Of(Refusals.Gone(state)),
        _ => Problems.NotFound(what),
    };
}
