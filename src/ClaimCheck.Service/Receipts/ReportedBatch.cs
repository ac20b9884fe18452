using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using Dapper;

namespace ClaimCheck.Service.Receipts;

/// <summary>A batch as those see it who report on it or ask for more of it.</summary>
internal static class ReportedBatch
{
    /// <summary>The batch, where the caller has one by this id.</summary>
    public static async Task<ExportRow?> FindAsync(Transaction transaction, Caller caller, BatchId batch, CancellationToken cancellationToken) =>
        await transaction.Connection.QuerySingleOrDefaultAsync<ExportRow>(transaction.Command(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @Id AND tenant = @Tenant",
            new { Id = batch.Value, caller.Tenant },
            cancellationToken));

    /// <summary>Where the books are kept: a retry counts for the batch it was made from.</summary>
    public static BatchId OriginalOf(ExportRow batch) => batch.RetryOf is { } original ? new(original) : batch.Batch;

    /// <summary>Why the caller may not speak for this consumer of this batch, or null.</summary>
    public static ProblemResult? Refusal(Caller caller, ExportRow batch, string consumer) =>
        caller.MaySpeakFor(consumer) && (batch.Consumer == "*" || batch.Consumer == consumer) ? null : Problems.Of(ProblemCodes.OtherConsumer);
}
