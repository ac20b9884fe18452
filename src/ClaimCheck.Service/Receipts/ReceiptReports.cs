using ClaimCheck.Service.Receipts.Ledger;

namespace ClaimCheck.Service.Receipts;

/// <summary>Accepts what a consumer reports on a batch. End states are accepted where the counts add up; then the ledger is
/// closed, and the end of a retry is folded into its original, in the same transaction.</summary>
internal sealed partial class ReceiptReports(NpgsqlDataSource catalog, ReceiptLedger accounts, ILogger<ReceiptReports> logger)
{
    /// <returns>The batch, or the refusal.</returns>
    public async Task<(ExportRow? Batch, Refused? Refusal)> TakeAsync(
        Caller caller, BatchId id, string consumer, ReceiptReport report, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        if (await ReportedBatch.FindAsync(transaction, caller, id, cancellationToken) is not { } found)
            return (null, Refused.NotFound("batch"));
        if (ReportedBatch.Refusal(caller, found, consumer) is { } other)
            return (null, other);
        var original = ReportedBatch.OriginalOf(found);
        await ReceiptLedger.EnterAsync(transaction, original, consumer, cancellationToken);
        // Checked again: the transaction waited for may have ended it.
        var batch = (await ReportedBatch.FindAsync(transaction, caller, id, cancellationToken))!;
        var before = await ReceiptLedger.FindAsync(transaction, id, consumer, cancellationToken);
        if (ReceiptRules.Check(batch, before, report) is { } refusal)
            return (null, refusal);
        if (before is { IsEnded: true } && before.IsRepeatedBy(report))
            return (batch, null);
        if (before is null && await ReportedBatch.IsFullAsync(transaction, id, cancellationToken) is { } full)
            return (null, full);

        var after = await WriteAsync(transaction, id, consumer, report, cancellationToken);
        if (batch.RetryOf is not null && after.IsEnded)
        {
            if (after.IsDiscarded)
                await accounts.UndoAsync(transaction, original, after, cancellationToken);
            else if (await CountStrangersAsync(transaction, original, after, cancellationToken) is var strangers and > 0)
                return (null, new Refused(
                    ProblemCodes.CountsDoNotAddUp,
                    $"{strangers} of the listed failures are of records that this retry does not contain."));
            else
                await accounts.FoldAsync(transaction, original, after, cancellationToken);
        }

        await DeliveryGoals.SettleAsync(transaction, id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (before?.State != after.State)
            Log.Reported(logger, consumer, id, after.State, after.Succeeded, after.Transient, after.Terminal);
        return (batch, null);
    }

    private static Task<ReceiptRow> WriteAsync(
        Transaction transaction, BatchId batch, string consumer, ReceiptReport report, CancellationToken cancellationToken) =>
        transaction.QuerySingleAsync<ReceiptRow>(
            $"""
            INSERT INTO receipts AS r (batch_id, consumer, state, succeeded, transient, terminal, checkpoint,
                                       said_state, said_succeeded, said_transient, said_terminal)
            VALUES (@Id, @consumer, @State, @Succeeded, @Transient, @Terminal, @Checkpoint, @State, @Succeeded,
                    @Transient, @Terminal)
            ON CONFLICT (batch_id, consumer) DO UPDATE
               SET state = excluded.state, succeeded = excluded.succeeded, transient = excluded.transient,
                   terminal = excluded.terminal,
                   checkpoint = excluded.checkpoint, said_state = excluded.said_state, said_succeeded = excluded.said_succeeded,
                   said_transient = excluded.said_transient, said_terminal = excluded.said_terminal, updated_at = now()
            RETURNING {ReceiptRow.Columns}
            """,
            new
            {
                Id = batch.Value,
                consumer,
                report.State,
                report.Succeeded,
                report.Transient,
                report.Terminal,
                report.Checkpoint,
            },
            cancellationToken);

    // Failures of a retry whose keys are not among its records could not be folded by key. Once the original has ended, its keys
    // are deleted, and this can't be checked.
    private static Task<long> CountStrangersAsync(
        Transaction transaction, BatchId original, ReceiptRow retry, CancellationToken cancellationToken) =>
        transaction.Connection.ExecuteScalarAsync<long>(transaction.LongCommand(
            """
            SELECT count(*)
              FROM record_failures f
             WHERE f.batch_id = @Retry AND f.consumer = @Consumer
               AND EXISTS (SELECT FROM receipts o WHERE o.batch_id = @Original AND o.consumer = @Consumer AND o.keeps_failures
                                                    AND o.round_batch = @Retry AND o.round_state <> 'folded')
               AND (SELECT t.class FROM record_failures t
                     WHERE t.batch_id = @Original AND t.consumer = @Consumer AND t.digest = f.digest) IS DISTINCT FROM 'transient'
            """,
            new { Retry = retry.BatchId, retry.Consumer, Original = original.Value },
            cancellationToken));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Consumer} reports batch {BatchId} as {State}: {Succeeded} records succeeded, "
            + "{Transient} failures are transient, {Terminal} terminal.")]
        public static partial void Reported(
            ILogger logger, string consumer, BatchId batchId, string state, long succeeded, long transient, long terminal);
    }
}
