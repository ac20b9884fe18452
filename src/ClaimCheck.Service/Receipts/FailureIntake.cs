using ClaimCheck.Service.Receipts.Ledger;
using NpgsqlTypes;

namespace ClaimCheck.Service.Receipts;

/// <summary>Receives failed records: copied one by one into a table of the transaction's own, then merged by key at once, so that
/// a body that is malformed somewhere leaves nothing. Nothing is locked while they are copied.</summary>
internal sealed class FailureIntake(NpgsqlDataSource catalog)
{
    private const int MostRecords = 1_000_000;

    /// <summary>Why none would be accepted at present: checked before a caller sends them all. Else null.</summary>
    public async Task<Refused?> RefusalAsync(Caller caller, BatchId id, string consumer, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        return await ReportedBatch.FindAsync(transaction, caller, id, cancellationToken) is { } batch
            ? ReportedBatch.Refusal(caller, batch, consumer) ?? Refusal(batch)
            : Refused.NotFound("batch");
    }

    /// <returns>The batch, or the refusal.</returns>
    public async Task<(ExportRow? Batch, Refused? Refusal)> TakeAsync(
        Caller caller, BatchId id, string consumer, IAsyncEnumerable<RecordFailure> failures, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        if (await ReportedBatch.FindAsync(transaction, caller, id, cancellationToken) is not { } found)
            return (null, Refused.NotFound("batch"));
        if ((ReportedBatch.Refusal(caller, found, consumer) ?? Refusal(found)) is { } refusal)
            return (null, refusal);
        if (!await CopyAsync(transaction, failures, cancellationToken))
            return (null, new Refused(ProblemCodes.TooManyFailures));

        await ReceiptLedger.EnterAsync(transaction, ReportedBatch.OriginalOf(found), consumer, cancellationToken);
        var batch = (await ReportedBatch.FindAsync(transaction, caller, id, cancellationToken))!;
        if (Refusal(batch) is { } ended)
            return (null, ended);
        var receipt = await ReceiptLedger.FindAsync(transaction, id, consumer, cancellationToken);
        if (receipt is { IsEnded: true })
        {
            return await ChangesAsync(transaction, id, consumer, cancellationToken)
                ? (null, new Refused(
                    ProblemCodes.ReceiptEnded, $"The receipt is {receipt.State}, and the request would change its failures."))
                : (batch, null);
        }

        if (receipt is null && await ReportedBatch.IsFullAsync(transaction, id, cancellationToken) is { } full)
            return (null, full);
        if (await MergeAsync(transaction, id, consumer, cancellationToken) > MostRecords)
            return (null, new Refused(ProblemCodes.TooManyFailures));
        await transaction.CommitAsync(cancellationToken);
        return (batch, null);
    }

    // Record keys are deleted with the batch's end, and none are accepted after it.
    private static Refused? Refusal(ExportRow batch) =>
        ReceiptRules.Reportable(batch)
        ?? (batch.EffectiveState == ExportState.Ready ? null : Refusals.Gone(batch.EffectiveState));

    /// <returns>False where there are too many.</returns>
    private static async Task<bool> CopyAsync(
        Transaction transaction, IAsyncEnumerable<RecordFailure> failures, CancellationToken cancellationToken)
    {
        await transaction.ExecuteAsync(
            """
            CREATE TEMP TABLE incoming (ordinal integer, digest bytea, key text, class text, code text, message text, said bytea)
                ON COMMIT DROP
            """,
            null,
            cancellationToken);
        var count = 0;
        // Disposed without Complete, the copy is undone.
        await using var copy = await transaction.Connection.BeginBinaryImportAsync(
            "COPY incoming FROM STDIN (FORMAT binary)", cancellationToken);
        await foreach (var failure in failures.WithCancellation(cancellationToken))
        {
            if (++count > MostRecords)
                return false;
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(count, NpgsqlDbType.Integer, cancellationToken);
            await copy.WriteAsync(KeyDigest.Of(failure.Key), NpgsqlDbType.Bytea, cancellationToken);
            await copy.WriteAsync(failure.Key, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(failure.Class, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(failure.Code, NpgsqlDbType.Text, cancellationToken);
            if (failure.Message is null)
                await copy.WriteNullAsync(cancellationToken);
            else
                await copy.WriteAsync(failure.Message, NpgsqlDbType.Text, cancellationToken);
            await copy.WriteAsync(Said(failure), NpgsqlDbType.Bytea, cancellationToken);
        }

        await copy.CompleteAsync(cancellationToken);
        return true;
    }

    // Whether any of it differs from what was said before. Looked up one by one, as below: without statistics on rows inserted
    // a moment ago, a join may be planned as a nested loop over all pairs.
    private static Task<bool> ChangesAsync(
        Transaction transaction, BatchId batch, string consumer, CancellationToken cancellationToken) =>
        transaction.Connection.ExecuteScalarAsync<bool>(transaction.LongCommand(
            """
            SELECT EXISTS (
                SELECT FROM (SELECT DISTINCT ON (digest) digest, said FROM incoming ORDER BY digest, ordinal DESC) i
                 WHERE i.said IS DISTINCT FROM (SELECT f.said FROM record_failures f
                                                 WHERE f.batch_id = @Id AND f.consumer = @consumer AND f.digest = i.digest))
            """,
            new { Id = batch.Value, consumer },
            cancellationToken));

    /// <returns>How many are listed now.</returns>
    private static Task<long> MergeAsync(
        Transaction transaction, BatchId batch, string consumer, CancellationToken cancellationToken) =>
        transaction.Connection.ExecuteScalarAsync<long>(transaction.LongCommand(
            """
            WITH given AS MATERIALIZED (
                SELECT DISTINCT ON (digest) digest, key, class, code, message, said FROM incoming ORDER BY digest, ordinal DESC
            ), known AS MATERIALIZED (
                SELECT (SELECT f.class FROM record_failures f
                         WHERE f.batch_id = @Id AND f.consumer = @consumer AND f.digest = given.digest) AS class
                  FROM given
            ), merged AS (
                INSERT INTO record_failures (batch_id, consumer, digest, key, class, code, message, said)
                SELECT @Id, @consumer, digest, key, class, code, message, said FROM given
                ON CONFLICT (batch_id, consumer, digest) DO UPDATE
                   SET class = excluded.class, code = excluded.code, message = excluded.message, said = excluded.said
                 WHERE record_failures.said <> excluded.said
            ), more AS (
                SELECT (SELECT count(*) FROM given WHERE class = 'transient')
                       - (SELECT count(*) FROM known WHERE class = 'transient') AS transient,
                       (SELECT count(*) FROM given WHERE class = 'terminal')
                       - (SELECT count(*) FROM known WHERE class = 'terminal') AS terminal,
                       EXISTS (SELECT FROM given) AS keeps
            )
            INSERT INTO receipts AS r (batch_id, consumer, state, listed_transient, listed_terminal, keeps_failures)
            SELECT @Id, @consumer, 'processing', transient, terminal, keeps FROM more
            ON CONFLICT (batch_id, consumer) DO UPDATE
               SET listed_transient = r.listed_transient + excluded.listed_transient,
                   listed_terminal = r.listed_terminal + excluded.listed_terminal,
                   keeps_failures = r.keeps_failures OR excluded.keeps_failures, updated_at = now()
            RETURNING listed_transient + listed_terminal
            """,
            new { Id = batch.Value, consumer },
            cancellationToken));

    private static byte[] Said(RecordFailure failure) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(
            $"{failure.Class}\0{failure.Code}\0{(failure.Message is null ? "" : "=" + failure.Message)}"))[..16];
}
