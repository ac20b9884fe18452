namespace ClaimCheck.Consumer.Inbox;

/// <summary>The result of trying to lease a batch.</summary>
internal enum InboxEntry
{
    /// <summary>This process has the lease.</summary>
    Held,

    /// <summary>Another process works on it.</summary>
    Busy,

    /// <summary>It is applied already.</summary>
    Settled,

    /// <summary>It is revoked.</summary>
    Revoked,
}

/// <summary>A batch that this process may work on, until its lease ends.</summary>
internal sealed record BatchLease(BatchId BatchId, Guid Token, BatchPosition Position, RecordCounts Counts);

/// <summary>What one consumer has applied of which batch: who holds the lease, the position, and the end state.</summary>
internal sealed class BatchInbox(InboxDatabase database, ReceiptOutbox receipts, string consumer, TimeSpan lease)
{
    public string Consumer => consumer;

    public TimeSpan Lease => lease;

    public InboxDatabase Database => database;

    /// <summary>The reports that are due to the service.</summary>
    public ReceiptOutbox Receipts => receipts;

    /// <summary>Records that a batch was seen, and leases it where it is free.</summary>
    public async Task<(InboxEntry Entry, BatchLease? Lease)> EnterAsync(BatchId batch, CancellationToken cancellationToken)
    {
        var result = await database.TransactAsync(
            transaction => EnterAsync(transaction, batch, cancellationToken), cancellationToken);
        receipts.Wake();
        return result;
    }

    /// <summary>Renews the lease.</summary>
    /// <returns>Held; or the batch's state instead.</returns>
    public async Task<InboxEntry> RenewAsync(BatchLease held, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE claimcheck.inbox_batches
               SET leased_until = clock_timestamp() + @lease
             WHERE consumer = @consumer AND batch_id = @batch AND state = 'open' AND lease_token = @token
            """;
        return await database.TransactAsync(async transaction =>
        {
            await using var renew = Command(transaction, sql, held.BatchId, ("token", held.Token), ("lease", lease));
            return await renew.ExecuteNonQueryAsync(cancellationToken) == 1
                ? InboxEntry.Held
                : await StateAsync(transaction, held.BatchId, cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Gives the lease back, so that nobody has to wait for its end.</summary>
    public Task ReleaseAsync(BatchLease held, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE claimcheck.inbox_batches
               SET lease_token = NULL, leased_until = NULL
             WHERE consumer = @consumer AND batch_id = @batch AND lease_token = @token
            """;
        return database.TransactAsync(async transaction =>
        {
            await using var release = Command(transaction, sql, held.BatchId, ("token", held.Token));
            return await release.ExecuteNonQueryAsync(cancellationToken);
        }, cancellationToken);
    }

    /// <summary>
    /// Records permanently that a batch is revoked, once; what is written through the transaction is committed with it.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="discard">Called the first time, with what had been applied.</param>
    /// <param name="cancellationToken">Rolls all of it back.</param>
    /// <returns>False where that was known already.</returns>
    public async Task<bool> RevokeAsync(
        BatchId batch, Func<NpgsqlTransaction, RecordCounts, Task> discard, CancellationToken cancellationToken)
    {
        // The process that holds the batch finds its lease gone: it commits nothing after this.
        const string sql = """
            INSERT INTO claimcheck.inbox_batches AS known (consumer, batch_id, state)
            VALUES (@consumer, @batch, @state)
            ON CONFLICT (consumer, batch_id) DO UPDATE
                   SET state = excluded.state, lease_token = NULL, leased_until = NULL, updated_at = now()
                 WHERE known.state <> excluded.state
            RETURNING succeeded, transient, terminal
            """;
        var isNew = await database.TransactAsync(async transaction =>
        {
            RecordCounts applied;
            await using (var note = Command(transaction, sql, batch, ("state", "revoked")))
            {
                await using var reader = await note.ExecuteReaderAsync(cancellationToken);
                if (!await reader.ReadAsync(cancellationToken))
                    return false;
                applied = new(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
            }
            await discard(transaction, applied);
            await receipts.ForgetFailuresAsync(transaction, batch, cancellationToken);
            await receipts.PutAsync(
                transaction, batch, new ReceiptReport { State = ReceiptState.Discarded }, null, cancellationToken);
            return true;
        }, cancellationToken, mayIdle: true);
        receipts.Wake();
        return isNew;
    }

    /// <summary>The end state of a batch, and the outcomes of its records.</summary>
    public Task<(InboxEntry Entry, RecordCounts Counts)> LookAsync(BatchId batch, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT succeeded, transient, terminal
              FROM claimcheck.inbox_batches
             WHERE consumer = @consumer AND batch_id = @batch
            """;
        return database.TransactAsync(async transaction =>
        {
            var entry = await StateAsync(transaction, batch, cancellationToken);
            await using var look = Command(transaction, sql, batch);
            await using var reader = await look.ExecuteReaderAsync(cancellationToken);
            return (entry, await reader.ReadAsync(cancellationToken)
                ? new RecordCounts(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2))
                : default);
        }, cancellationToken);
    }

    /// <summary>Deletes entries that ended long ago and have nothing left to send.</summary>
    public Task<int> PurgeAsync(TimeSpan remember, CancellationToken cancellationToken)
    {
        // Uses inbox_batches_updated_at. A receipt that is unsent for that long would not be accepted: the batch has
        // long expired.
        const string sql = """
            WITH gone AS (
                DELETE FROM claimcheck.inbox_batches
                 WHERE consumer = @consumer AND updated_at < now() - @remember
             RETURNING consumer, batch_id
            ), failures AS (
                DELETE FROM claimcheck.inbox_failures USING gone
                 WHERE inbox_failures.consumer = gone.consumer AND inbox_failures.batch_id = gone.batch_id
            ), receipts AS (
                DELETE FROM claimcheck.inbox_receipts USING gone
                 WHERE inbox_receipts.consumer = gone.consumer AND inbox_receipts.batch_id = gone.batch_id
            )
            SELECT count(*)::int FROM gone
            """;
        return database.TransactAsync(async transaction =>
        {
            await using var purge = transaction.Command(sql, ("consumer", consumer), ("remember", remember));
            return (int)(await purge.ExecuteScalarAsync(cancellationToken))!;
        }, cancellationToken);
    }

    private async Task<(InboxEntry Entry, BatchLease? Lease)> EnterAsync(
        NpgsqlTransaction transaction, BatchId batch, CancellationToken cancellationToken)
    {
        if (await NoteAsync(transaction, batch, cancellationToken))
            await receipts.PutAsync(
                transaction, batch, new ReceiptReport { State = ReceiptState.Received }, null, cancellationToken);
        await EndSilentAsync(transaction, batch, cancellationToken);
        // A locked row is being written by the holder of the batch: it is not waited for.
        const string sql = """
            UPDATE claimcheck.inbox_batches
               SET lease_token = @token, leased_until = clock_timestamp() + @lease, updated_at = now()
             WHERE (consumer, batch_id) IN (
                       SELECT consumer, batch_id
                         FROM claimcheck.inbox_batches
                        WHERE consumer = @consumer AND batch_id = @batch AND state = 'open'
                          AND (lease_token IS NULL OR leased_until < clock_timestamp())
                          FOR UPDATE SKIP LOCKED)
            RETURNING position, succeeded, transient, terminal
            """;
        var token = Guid.NewGuid();
        await using (var take = Command(transaction, sql, batch, ("token", token), ("lease", lease)))
        {
            await using var reader = await take.ExecuteReaderAsync(cancellationToken);
            if (await reader.ReadAsync(cancellationToken))
            {
                return BatchPosition.TryParse(batch, reader.GetString(0), out var position)
                    ? (InboxEntry.Held, new BatchLease(
                        batch, token, position, new(reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3))))
                    : throw new IntegrityException($"The inbox's position in {batch} can't be read.", batch);
            }
        }
        return (await StateAsync(transaction, batch, cancellationToken), null);
    }

    // A process that is paused in a transaction keeps its locks: another process that takes its batch over would wait for them
    // for ever. Its role is the same, so it may be terminated. Behind a pooler the session may belong to others by now: a
    // transaction that began after the lease ended is not its.
    private async Task EndSilentAsync(NpgsqlTransaction transaction, BatchId batch, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT pg_terminate_backend(session.pid)
              FROM claimcheck.inbox_batches AS known
              JOIN pg_stat_activity AS session ON session.pid = known.holder_pid AND session.backend_start = known.holder_since
             WHERE known.consumer = @consumer AND known.batch_id = @batch AND known.state = 'open'
               AND known.leased_until < clock_timestamp() AND session.usename = session_user
               AND (session.xact_start < known.leased_until OR session.xact_start IS NULL)
            """;
        await using var end = Command(transaction, sql, batch);
        await end.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<bool> NoteAsync(NpgsqlTransaction transaction, BatchId batch, CancellationToken cancellationToken)
    {
        const string sql = """
            INSERT INTO claimcheck.inbox_batches (consumer, batch_id, state)
            VALUES (@consumer, @batch, 'open')
            ON CONFLICT (consumer, batch_id) DO NOTHING
            """;
        await using var note = Command(transaction, sql, batch);
        return await note.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private async Task<InboxEntry> StateAsync(NpgsqlTransaction transaction, BatchId batch, CancellationToken cancellationToken)
    {
        const string sql = "SELECT state FROM claimcheck.inbox_batches WHERE consumer = @consumer AND batch_id = @batch";
        await using var ask = Command(transaction, sql, batch);
        return (string?)await ask.ExecuteScalarAsync(cancellationToken) switch
        {
            "settled" => InboxEntry.Settled,
            "revoked" => InboxEntry.Revoked,
            _ => InboxEntry.Busy,
        };
    }

    private NpgsqlCommand Command(
        NpgsqlTransaction transaction, string sql, BatchId batch, params ReadOnlySpan<(string Name, object? Value)> more) =>
        transaction.Command(sql, [("consumer", consumer), ("batch", batch.Value), .. more]);
}
