namespace ClaimCheck.Service.Revocation;

/// <summary>DELETE of a batch or of its export: the same operation under two names.</summary>
internal static class RevocationEndpoints
{
    private const int LongestReason = 500;
    private static readonly TimeSpan WaitForProof = TimeSpan.FromSeconds(10);

    public static IEndpointRouteBuilder MapRevocation(this IEndpointRouteBuilder routes)
    {
        routes.MapDelete("/v1/batches/{batchId}", RevokeBatch).WithName("RevokeBatch").WithTags("Batches")
            .WithSummary("Revokes a batch; 200 once its deletion is verified.").ProducesProblems(400, 401, 404, 503);
        routes.MapDelete("/v1/exports/{exportId}", CancelExport).WithName("CancelExport").WithTags("Exports")
            .WithSummary("Cancels an export, or revokes its batch when it is ready.").ProducesProblems(400, 401, 404, 503);
        return routes;
    }

    private static async Task<Results<Ok<RevocationReport>, Accepted<RevocationReport>, ProblemResult>> RevokeBatch(
        string batchId, string? reason, HttpContext context, Caller caller, BatchRevoker revoker, RevocationReports reports,
        CancellationToken cancellationToken) =>
        BatchId.TryParse(batchId, out var id)
            ? await RevokeAsync(id, reason, context, caller, revoker, reports, "batch", cancellationToken)
            : Problems.NotFound("batch");

    private static async Task<Results<Ok<RevocationReport>, Accepted<RevocationReport>, ProblemResult>> CancelExport(
        string exportId, string? reason, HttpContext context, Caller caller, ExportStore store, BatchRevoker revoker,
        RevocationReports reports, CancellationToken cancellationToken) =>
        ExportId.TryParse(exportId, out var id) && await store.FindAsync(caller, id, cancellationToken) is { } row
            ? await RevokeAsync(row.Batch, reason, context, caller, revoker, reports, "export", cancellationToken)
            : Problems.NotFound("export");

    private static async Task<Results<Ok<RevocationReport>, Accepted<RevocationReport>, ProblemResult>> RevokeAsync(
        BatchId batch, string? reason, HttpContext context, Caller caller, BatchRevoker revoker, RevocationReports reports,
        string what, CancellationToken cancellationToken)
    {
        if (reason?.Length > LongestReason || reason?.Contains('\0') == true)
            return Problems.Of(ProblemCodes.InvalidParameter, $"reason must be text of at most {LongestReason} characters.");

        // A revocation that was asked for is carried out, even when the caller disconnects.
        if (!await revoker.RevokeAsync(caller, batch, reason, CancellationToken.None))
            return Problems.NotFound(what);

        var report = await reports.WaitAsync(caller, batch, WaitForProof, cancellationToken);
        if (report.VerifiedAt is not null)
            return TypedResults.Ok(report);
        context.Response.Headers.RetryAfter = "2";
        return TypedResults.Accepted($"/v1/batches/{batch}", report);
    }
}
