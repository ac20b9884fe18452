using ClaimCheck.Service.Receipts.Ledger;

namespace ClaimCheck.Service.Receipts;

/// <summary>Rounds of retries: an export of only one consumer's transient failures, with the original's query and criteria as
/// they were frozen. The round and its export begin in one transaction; while it runs, a repeated request gets the same
/// answer.</summary>
internal sealed partial class Retries(
    NpgsqlDataSource catalog, ReceiptLedger accounts, ReceiptOptions options, ILogger<Retries> logger)
{
    /// <returns>The round's export, or the refusal.</returns>
    public async Task<(ExportRow? Retry, Refused? Refusal)> AskAsync(
        Caller caller, BatchId id, string consumer, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        if (await ReportedBatch.FindAsync(transaction, caller, id, cancellationToken) is not { } asked)
            return (null, Refused.NotFound("batch"));
        if (ReportedBatch.Refusal(caller, asked, consumer) is { } other)
            return (null, other);

        // A revocation that comes after it finds the retry, and revokes it too.
        var original = ReportedBatch.OriginalOf(asked);
        var (batch, early) = await ReportedBatch.ReadyAsync(transaction, original, cancellationToken);
        if (early is not null)
            return (null, early);

        await ReceiptLedger.EnterAsync(transaction, original, consumer, cancellationToken);
        var receipt = await ReceiptLedger.FindAsync(transaction, original, consumer, cancellationToken);
        if (receipt is { RoundState: RoundState.Open, RoundBatch: { } round })
        {
            var running = await ReportedBatch.FindAsync(transaction, caller, new(round), cancellationToken);
            if (running is not null && !ExportState.IsEnd(running.EffectiveState))
                return (running, null);
            await accounts.LoseAsync(transaction, original, consumer, round, cancellationToken);
            receipt = await ReceiptLedger.FindAsync(transaction, original, consumer, cancellationToken);
        }

        if (Refusal(batch, receipt) is { } refusal)
        {
            await transaction.CommitAsync(cancellationToken); // a lost round stays lost
            return (null, refusal);
        }

        var retry = await MakeAsync(transaction, caller, batch, consumer, cancellationToken);
        await transaction.ExecuteAsync(
            """
            UPDATE receipts
               SET rounds = rounds + 1, round_batch = @Retry, round_state = 'open', next_round_at = NULL
             WHERE batch_id = @Id AND consumer = @consumer
            """,
            new { Id = original.Value, consumer, Retry = retry.BatchId },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Log.Begun(logger, receipt!.Rounds + 1, consumer, original, receipt.Transient, retry.ExportId);
        return (retry, null);
    }

    private Refused? Refusal(ExportRow batch, ReceiptRow? receipt)
    {
        if (batch.FrozenDataset.Origin == RecordOrigin.Producer)
        {
            return new Refused(
                ProblemCodes.NothingToRetry,
                "The batch's records came in files: no query gives the failed ones again. Ask for a redelivery of the whole "
                + "batch (POST …/redeliveries), or have its producer send those that …/failures lists in a batch of their own.");
        }

        if (receipt is not { State: ReceiptState.PartiallyFailed or ReceiptState.Failed })
        {
            return new Refused(ProblemCodes.NothingToRetry, receipt?.State == ReceiptState.Completed
                ? "Every record has succeeded."
                : "The consumer has not reported the end of the batch with failed records.");
        }

        if (receipt.Transient == 0)
            return new Refused(ProblemCodes.NothingToRetry, "All failures are terminal.");
        if (receipt.Rounds >= options.RetryRounds)
            return new Refused(ProblemCodes.NothingToRetry, $"All {options.RetryRounds} rounds are used up.");
        return receipt.NextRoundIn is { } wait && wait > TimeSpan.Zero
            ? new Refused(
                ProblemCodes.RetryTooEarly,
                $"The next round may begin in {IsoDuration.Format(TimeSpan.FromSeconds(Math.Ceiling(wait.TotalSeconds)))}.",
                RetryAfter: wait)
            : null;
    }

    // As the original was frozen, but in no order, and without a delivery goal of its own.
    private static Task<ExportRow> MakeAsync(
        Transaction transaction, Caller caller, ExportRow original, string consumer, CancellationToken cancellationToken) =>
        ExportStore.InsertAsync(
            transaction,
            ExportId.New(),
            caller,
            new(original.FrozenDataset with { OrderedBy = null, Delivery = null }, original.Terms)
            {
                RetryOf = original.BatchId,
                Consumer = consumer,
            },
            cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Round {Round} of retries of {Consumer} begins: batch {BatchId} has {Transient} "
            + "records to try again, in export {ExportId}.")]
        public static partial void Begun(
            ILogger logger, int round, string consumer, BatchId batchId, long transient, ExportId exportId);
    }
}
