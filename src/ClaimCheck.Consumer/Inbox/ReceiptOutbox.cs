namespace ClaimCheck.Consumer.Inbox;

/// <summary>A receipt that is due.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="Version">Distinguishes it from a newer one of the same batch.</param>
/// <param name="Report">The report to send.</param>
/// <param name="RetryBatchId">The batch for which a retry is to be requested afterwards, or null.</param>
/// <param name="IsSent">Whether it was sent already, and only the retry is left.</param>
/// <param name="Attempts">How often it was tried, this time included.</param>
internal sealed record DueReceipt(
    BatchId BatchId, Guid Version, ReceiptReport Report, BatchId? RetryBatchId, bool IsSent, int Attempts);

/// <summary>
/// What is still to be sent to the service: written in the transaction of the work that it reports, sent later. Of each batch
/// only the newest receipt, since it replaces the earlier ones.
/// </summary>
/// <param name="database">The inbox.</param>
/// <param name="consumer">The consumer.</param>
/// <param name="lease">A worker that dies is replaced after this; two at once do no harm, since a receipt
/// replaces itself.</param>
[SuppressMessage(
    "Design", "CA1001", Justification = "A SemaphoreSlim has nothing to dispose of unless its wait handle is asked for.")]
internal sealed class ReceiptOutbox(InboxDatabase database, string consumer, TimeSpan lease)
{
    private readonly SemaphoreSlim written = new(0, 1);

    /// <summary>Writes a receipt; <see cref="Wake"/> is for after the commit.</summary>
    public async Task PutAsync(
        NpgsqlTransaction transaction, BatchId batch, ReceiptReport report, BatchId? retryBatch,
        CancellationToken cancellationToken)
    {
        await using var command = transaction.Command(PutSql, PutOf(batch, report, retryBatch));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The same as a part of a batch of commands.</summary>
    public NpgsqlBatchCommand Put(BatchId batch, ReceiptReport report, BatchId? retryBatch) =>
        InboxCommands.OfBatch(PutSql, PutOf(batch, report, retryBatch));

    /// <summary>Signals the worker that something was written.</summary>
    public void Wake()
    {
        try
        {
            written.Release();
        }
        catch (SemaphoreFullException)
        {
            // The worker was signalled already.
        }
    }

    /// <summary>Waits until something was written, or that time has passed.</summary>
    public Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken) => written.WaitAsync(atMost, cancellationToken);

    /// <summary>Leases what is due, so that no other process takes it for a while.</summary>
    public Task<List<DueReceipt>> TakeAsync(int most, CancellationToken cancellationToken)
    {
        // Uses inbox_receipts_next_at.
        const string sql = """
            UPDATE claimcheck.inbox_receipts AS r
               SET next_at = now() + @lease, attempts = r.attempts + 1
             WHERE (r.consumer, r.batch_id) IN (
                       SELECT consumer, batch_id
                         FROM claimcheck.inbox_receipts
                        WHERE consumer = @consumer AND refused_code IS NULL AND next_at <= now()
                        ORDER BY next_at
                        LIMIT @most
                          FOR UPDATE SKIP LOCKED)
            RETURNING r.batch_id, r.version, r.state, r.succeeded, r.transient, r.terminal, r.position, r.retry_batch_id,
                      r.is_sent, r.attempts
            """;
        return database.TransactAsync(async transaction =>
        {
            await using var command = transaction.Command(sql, ("consumer", consumer), ("lease", lease), ("most", most));
            var due = new List<DueReceipt>();
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var report = new ReceiptReport
                {
                    State = reader.GetString(2),
                    Succeeded = reader.GetInt64(3),
                    Transient = reader.GetInt64(4),
                    Terminal = reader.GetInt64(5),
                    Checkpoint = reader.IsDBNull(6) ? null : reader.GetString(6),
                };
                BatchId? retry = reader.IsDBNull(7) ? null : new BatchId(reader.GetGuid(7));
                due.Add(new(new(reader.GetGuid(0)), reader.GetGuid(1), report, retry, reader.GetBoolean(8), reader.GetInt32(9)));
            }
            return due;
        }, cancellationToken);
    }

    /// <summary>It was sent, and its failures with it. What is left, if anything, is the retry.</summary>
    public Task SentAsync(DueReceipt receipt, CancellationToken cancellationToken) => database.TransactAsync(
        async transaction =>
        {
            if (ReceiptState.IsEnd(receipt.Report.State))
                await ForgetFailuresAsync(transaction, receipt.BatchId, cancellationToken);
            return receipt.RetryBatchId is null
                ? await DeleteAsync(transaction, receipt, cancellationToken)
                : await ExecuteAsync(
                    transaction, "UPDATE claimcheck.inbox_receipts SET is_sent = true" + Same, receipt, cancellationToken);
        }, cancellationToken);

    /// <summary>Nothing is left to do.</summary>
    public Task DoneAsync(DueReceipt receipt, CancellationToken cancellationToken) =>
        database.TransactAsync(transaction => DeleteAsync(transaction, receipt, cancellationToken), cancellationToken);

    /// <summary>It is to be tried again.</summary>
    public Task AgainAsync(DueReceipt receipt, TimeSpan after, CancellationToken cancellationToken) => database.TransactAsync(
        transaction => ExecuteAsync(transaction, "UPDATE claimcheck.inbox_receipts SET next_at = now() + @after" + Same, receipt,
            cancellationToken, ("after", after)),
        cancellationToken);

    /// <summary>The service will never accept it: kept for inspection, and not tried again.</summary>
    public Task RefusedAsync(DueReceipt receipt, string code, CancellationToken cancellationToken) => database.TransactAsync(
        transaction => ExecuteAsync(transaction, "UPDATE claimcheck.inbox_receipts SET refused_code = @code" + Same, receipt,
            cancellationToken, ("code", code)),
        cancellationToken);

    /// <summary>The failures of a batch, in its order.</summary>
    public async IAsyncEnumerable<RecordFailure> FailuresAsync(
        BatchId batch, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // By its primary key, a page at a time: no transaction is open while they are sent.
        const string sql = """
            SELECT ordinal, key, class, code, message
              FROM claimcheck.inbox_failures
             WHERE consumer = @consumer AND batch_id = @batch AND ordinal > @after
             ORDER BY ordinal
             LIMIT 2000
            """;
        var after = -1L;
        while (true)
        {
            var page = await database.TransactAsync(async transaction =>
            {
                var found = new List<RecordFailure>();
                await using var command = transaction.Command(
                    sql, ("consumer", consumer), ("batch", batch.Value), ("after", after));
                await using var reader = await command.ExecuteReaderAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                {
                    after = reader.GetInt64(0);
                    found.Add(new(reader.GetString(1), reader.GetString(2), reader.GetString(3),
                        reader.IsDBNull(4) ? null : reader.GetString(4)));
                }
                return found;
            }, cancellationToken);
            foreach (var failure in page)
                yield return failure;
            if (page.Count == 0)
                yield break;
        }
    }

    public async Task ForgetFailuresAsync(NpgsqlTransaction transaction, BatchId batch, CancellationToken cancellationToken)
    {
        const string sql = "DELETE FROM claimcheck.inbox_failures WHERE consumer = @consumer AND batch_id = @batch";
        await using var command = transaction.Command(sql, ("consumer", consumer), ("batch", batch.Value));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private const string PutSql = """
        INSERT INTO claimcheck.inbox_receipts (consumer, batch_id, version, state, succeeded, transient, terminal,
                                               position, retry_batch_id)
        VALUES (@consumer, @batch, @version, @state, @succeeded, @transient, @terminal, @position, @retry)
        ON CONFLICT (consumer, batch_id) DO UPDATE
               SET version = excluded.version, state = excluded.state, succeeded = excluded.succeeded,
                   transient = excluded.transient,
                   terminal = excluded.terminal, position = excluded.position, retry_batch_id = excluded.retry_batch_id,
                   is_sent = false, attempts = 0, next_at = now(), refused_code = NULL
        """;

    // A newer receipt is not touched.
    private const string Same = " WHERE consumer = @consumer AND batch_id = @batch AND version = @version";

    private (string Name, object? Value)[] PutOf(BatchId batch, ReceiptReport report, BatchId? retryBatch) =>
    [
        ("consumer", consumer), ("batch", batch.Value), ("version", Guid.NewGuid()), ("state", report.State),
        ("succeeded", report.Succeeded),
        ("transient", report.Transient), ("terminal", report.Terminal), ("position", report.Checkpoint),
        ("retry", retryBatch?.Value),
    ];

    private Task<int> DeleteAsync(NpgsqlTransaction transaction, DueReceipt receipt, CancellationToken cancellationToken) =>
        ExecuteAsync(transaction, "DELETE FROM claimcheck.inbox_receipts" + Same, receipt, cancellationToken);

    private async Task<int> ExecuteAsync(
        NpgsqlTransaction transaction, string sql, DueReceipt receipt, CancellationToken cancellationToken,
        params (string Name, object? Value)[] more)
    {
        await using var command = transaction.Command(
            sql, [("consumer", consumer), ("batch", receipt.BatchId.Value), ("version", receipt.Version), .. more]);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
