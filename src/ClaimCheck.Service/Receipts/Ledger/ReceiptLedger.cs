namespace ClaimCheck.Service.Receipts.Ledger;

/// <summary>The ledger: how many records succeeded, how many failures are transient, how many terminal. After a receipt's end
/// state every entry moves records records from one count to another, so that the sum stays the batch's. Every writer first calls
/// <see cref="EnterAsync"/>.</summary>
internal sealed class ReceiptLedger(ReceiptOptions options)
{
    /// <summary>The longest text of a failed record, in characters.</summary>
    public const int LongestMessage = 1024;

    /// <summary>One writer at a time for what a consumer reports on a batch and on the retries made from it. Released with the
    /// transaction.</summary>
    /// <param name="transaction">Has locked no row of <c>receipts</c> or <c>deliveries</c> yet.</param>
    /// <param name="original">The batch that the retries come from.</param>
    /// <param name="consumer">Whose receipt.</param>
    public static Task EnterAsync(
        Transaction transaction, BatchId original, string consumer, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            "SELECT pg_advisory_xact_lock(@Ledger, hashtext(@Name))",
            new { AdvisoryLocks.Ledger, Name = $"{original}/{consumer}" },
            cancellationToken);

    public static Task<ReceiptRow?> FindAsync(
        Transaction transaction, BatchId batch, string consumer, CancellationToken cancellationToken) =>
        transaction.QuerySingleOrDefaultAsync<ReceiptRow>(
            $"SELECT {ReceiptRow.Columns} FROM receipts r WHERE batch_id = @Id AND consumer = @consumer FOR UPDATE",
            new { Id = batch.Value, consumer },
            cancellationToken);

    /// <summary>Folds a round's outcomes, by key, into the original. Nothing happens where a later round has begun, or they are
    /// folded already.</summary>
    public async Task FoldAsync(Transaction transaction, BatchId original, ReceiptRow retry, CancellationToken cancellationToken)
    {
        if (await FindAsync(transaction, original, retry.Consumer, cancellationToken) is not { } receipt
            || receipt.RoundBatch != retry.BatchId || receipt.RoundState == RoundState.Folded || receipt.IsDiscarded)
        {
            return;
        }

        // While the round was open nothing else has changed the transient ones: they are its records. Where retention has
        // deleted them meanwhile, only the counts are folded. Each outcome is looked up by its key: a join, planned without
        // statistics on rows inserted a moment ago, may become a nested loop over all pairs.
        await transaction.Connection.ExecuteAsync(transaction.LongCommand(
            """
            UPDATE record_failures o
               SET (class, code, message) = (
                       SELECT coalesce(min(f.class), 'succeeded'), coalesce(min(f.code), o.code),
                              CASE count(*) WHEN 0 THEN o.message ELSE min(f.message) END
                         FROM record_failures f
                        WHERE f.batch_id = @Retry AND f.consumer = @Consumer AND f.digest = o.digest),
                   settled_by = @Retry
             WHERE o.batch_id = @Original AND o.consumer = @Consumer AND o.class = 'transient'
            """,
            new { Original = original.Value, Retry = retry.BatchId, retry.Consumer },
            cancellationToken));
        await MoveAsync(transaction, original, retry.Consumer, retry.Succeeded, retry.Terminal, cancellationToken);
        await CloseRoundAsync(transaction, original, receipt, RoundState.Folded, cancellationToken);
    }

    /// <summary>The round's batch has ended without an outcome: its records are to be tried again, and the round is
    /// used.</summary>
    public async Task LoseAsync(
        Transaction transaction, BatchId original, string consumer, Guid retry, CancellationToken cancellationToken)
    {
        if (await FindAsync(transaction, original, consumer, cancellationToken) is not { RoundState: RoundState.Open } receipt
            || receipt.RoundBatch != retry)
            return;
        await transaction.ExecuteAsync("DELETE FROM gone_record_keys WHERE batch_id = @retry", new { retry }, cancellationToken);
        await CloseRoundAsync(transaction, original, receipt, RoundState.Lost, cancellationToken);
    }

    /// <summary>The consumer has undone a revoked retry: those records are to be tried again.</summary>
    public async Task UndoAsync(Transaction transaction, BatchId original, ReceiptRow retry, CancellationToken cancellationToken)
    {
        await LoseAsync(transaction, original, retry.Consumer, retry.BatchId, cancellationToken);
        if (await FindAsync(transaction, original, retry.Consumer, cancellationToken) is not { } receipt
            || receipt.RoundBatch != retry.BatchId || receipt.IsDiscarded)
        {
            return; // a later round is based on its outcomes
        }

        var undone = await transaction.Connection.ExecuteAsync(transaction.LongCommand(
            """
            UPDATE record_failures
               SET class = 'transient', settled_by = NULL
             WHERE batch_id = @Original AND consumer = @Consumer AND class = 'succeeded' AND settled_by = @Retry
            """,
            new { Original = original.Value, retry.Consumer, Retry = retry.BatchId },
            cancellationToken));
        if (undone == 0)
            return;
        await MoveAsync(transaction, original, retry.Consumer, -undone, 0, cancellationToken);
        await EndWhereUsedUpAsync(transaction, original, receipt, cancellationToken);
    }

    /// <summary>A retry is ready: what its attempt did not find in the source is a terminal failure. Where that is all of it, the
    /// round is over.</summary>
    public async Task BeginRetryAsync(
        Transaction transaction, BatchId original, string consumer, BatchId retry, string attempt, long records,
        CancellationToken cancellationToken)
    {
        await EnterAsync(transaction, original, consumer, cancellationToken);
        var parameters = new { Original = original.Value, consumer, Retry = retry.Value, attempt };
        if (await FindAsync(
            transaction, original, consumer, cancellationToken) is { RoundState: RoundState.Open, IsDiscarded: false } receipt
            && receipt.RoundBatch == retry.Value)
        {
            var gone = await transaction.Connection.ExecuteAsync(transaction.LongCommand(
                """
                UPDATE record_failures f
                   SET class = 'terminal', code = 'record_gone', message = NULL, settled_by = @Retry
                 WHERE f.batch_id = @Original AND f.consumer = @consumer AND f.class = 'transient'
                   AND (SELECT true FROM gone_record_keys g
                         WHERE g.batch_id = @Retry AND g.attempt = @attempt AND g.digest = f.digest)
                """,
                parameters,
                cancellationToken));
            await MoveAsync(transaction, original, consumer, 0, gone, cancellationToken);
            if (records == 0)
                await CloseRoundAsync(transaction, original, receipt, RoundState.Folded, cancellationToken);
            else if (gone > 0)
                await DeliveryGoals.SettleAsync(transaction, original, cancellationToken);
        }

        await transaction.ExecuteAsync("DELETE FROM gone_record_keys WHERE batch_id = @Retry", parameters, cancellationToken);
    }

    private async Task CloseRoundAsync(
        Transaction transaction, BatchId original, ReceiptRow receipt, string roundState, CancellationToken cancellationToken)
    {
        await transaction.ExecuteAsync(
            """
            UPDATE receipts
               SET round_state = @roundState, next_round_at = now() + @Delay, updated_at = now()
             WHERE batch_id = @Original AND consumer = @Consumer
            """,
            new { Original = original.Value, receipt.Consumer, roundState, Delay = options.DelayAfter(receipt.Rounds) },
            cancellationToken);
        await EndWhereUsedUpAsync(transaction, original, receipt, cancellationToken);
    }

    // After the last round the rest becomes terminal, under its last code; its message distinguishes it from what was reported as
    // terminal.
    private async Task EndWhereUsedUpAsync(
        Transaction transaction, BatchId original, ReceiptRow receipt, CancellationToken cancellationToken)
    {
        if (receipt.Rounds >= options.RetryRounds)
        {
            var parameters = new
            {
                Original = original.Value,
                receipt.Consumer,
                Why = string.Create(
                    CultureInfo.InvariantCulture, $"Still transient after the last of {receipt.Rounds} rounds of retries."),
                LongestMessage,
            };
            await transaction.Connection.ExecuteAsync(transaction.LongCommand(
                """
                UPDATE record_failures
                   SET class = 'terminal', message = left(concat_ws(' ', @Why, message), @LongestMessage)
                 WHERE batch_id = @Original AND consumer = @Consumer AND class = 'transient'
                """,
                parameters,
                cancellationToken));
            await transaction.ExecuteAsync(
                """
                UPDATE receipts
                   SET terminal = terminal + transient, transient = 0, round_state = 'folded'
                 WHERE batch_id = @Original AND consumer = @Consumer AND transient > 0
                """,
                parameters,
                cancellationToken);
        }

        await DeliveryGoals.SettleAsync(transaction, original, cancellationToken);
    }

    // Moved out of the transient ones. The state follows from the counts.
    private static Task MoveAsync(
        Transaction transaction, BatchId original, string consumer, long toSucceeded, long toTerminal,
        CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            """
            UPDATE receipts
               SET succeeded = succeeded + @toSucceeded, terminal = terminal + @toTerminal,
                   transient = transient - @toSucceeded - @toTerminal,
                   state = CASE WHEN transient + terminal = @toSucceeded THEN 'completed'
                                WHEN succeeded + @toSucceeded = 0 THEN 'failed'
                                ELSE 'partiallyFailed' END,
                   updated_at = now()
             WHERE batch_id = @Original AND consumer = @consumer
            """,
            new { Original = original.Value, consumer, toSucceeded, toTerminal },
            cancellationToken);
}
