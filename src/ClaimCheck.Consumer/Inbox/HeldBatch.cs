using System.Data;

namespace ClaimCheck.Consumer.Inbox;

/// <summary>The lease on a batch is over, or the batch has ended meanwhile: nothing more can be committed.</summary>
internal sealed class BatchLeaseLostException(BatchId batch) : Exception($"The lease on {batch} is lost.");

/// <summary>A failed record, as the inbox keeps it until the service knows of it.</summary>
internal readonly record struct FailedRecord(long Ordinal, string Key, string Class, string Code, string? Message)
{
    public override string ToString() => $"{Class} {Code}";
}

/// <summary>
/// A batch that this process works on: the connection for its effects, and its lease, renewed until disposed. Everything
/// committed for it is guarded by the lease's token; once another process has taken the batch over, or it was revoked, that
/// matches nothing.
/// </summary>
internal sealed class HeldBatch : IAsyncDisposable
{
    private static readonly TimeSpan CleanUp = TimeSpan.FromSeconds(4);

    private readonly BatchInbox inbox;
    private readonly BatchLease lease;
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource stop;
    private readonly Task renewing;
    private bool isOver;

    private HeldBatch(
        BatchInbox inbox, BatchLease lease, NpgsqlConnection connection, Action revoked, CancellationToken cancellationToken)
    {
        (this.inbox, this.lease) = (inbox, lease);
        (Connection, Position, Counts) = (connection, lease.Position, lease.Counts);
        // A handler that ignores its cancellation must not keep the batch from others.
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        renewing = RenewAsync(revoked, stop.Token);
    }

    public NpgsqlConnection Connection { get; }

    public BatchPosition Position { get; private set; }

    public RecordCounts Counts { get; private set; }

    /// <summary>Cancelled once nothing more can be committed.</summary>
    public CancellationToken Lost => lost.Token;

    public bool IsConnected => Connection.State == ConnectionState.Open;

    /// <param name="inbox">The inbox.</param>
    /// <param name="lease">The lease, just acquired.</param>
    /// <param name="revoked">Called where another process has recorded the batch's revocation.</param>
    /// <param name="cancellationToken">Cancels the connecting, and later the renewals.</param>
    public static async Task<HeldBatch> OpenAsync(
        BatchInbox inbox, BatchLease lease, Action revoked, CancellationToken cancellationToken)
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await inbox.Database.OpenAsync(cancellationToken);
            await MarkSessionAsync(inbox, lease, connection, cancellationToken);
            return new(inbox, lease, connection, revoked, cancellationToken);
        }
        catch (Exception e)
        {
            if (connection is not null)
                await connection.DisposeAsync();
            await ReleaseAsync(inbox, lease);
            if (e is not ClaimCheckException && InboxDatabase.Passes(e))
                throw InboxDatabase.Unavailable(e, lease.BatchId);
            throw;
        }
    }

    /// <summary>Begins a transaction for a handler's effects and the position behind them.</summary>
    public Task<NpgsqlTransaction> BeginAsync(CancellationToken cancellationToken) =>
        inbox.Database.BeginAsync(Connection, mayIdle: true, cancellationToken);

    /// <summary>Writes the position behind a chunk and its failures, to be committed with its effects.</summary>
    /// <exception cref="BatchLeaseLostException">This process has lost the batch's lease.</exception>
    public async Task CheckpointAsync(
        NpgsqlTransaction transaction, BatchPosition next, RecordCounts chunk, IReadOnlyList<FailedRecord> failures, bool tell,
        CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE claimcheck.inbox_batches
               SET position = @position, succeeded = @succeeded, transient = @transient, terminal = @terminal,
                   leased_until = clock_timestamp() + @lease, updated_at = now()
             WHERE consumer = @consumer AND batch_id = @batch AND state = 'open' AND lease_token = @token
            """;
        var counts = Sum(chunk);
        await using var batch = new NpgsqlBatch(Connection, transaction);
        // What a handler wrote must fail here, where it can still be rolled back by itself, and not at the commit.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SET CONSTRAINTS ALL IMMEDIATE"));
        var update = Guarded(
            sql, ("position", next.ToString()), ("succeeded", counts.Succeeded), ("transient", counts.Transient),
            ("terminal", counts.Terminal),
            ("lease", inbox.Lease));
        batch.BatchCommands.Add(update);
        if (failures.Count > 0)
            batch.BatchCommands.Add(Failures(failures));
        if (tell)
            batch.BatchCommands.Add(inbox.Receipts.Put(lease.BatchId, Report(ReceiptState.Processing, counts, next), null));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        if (update.RecordsAffected != 1)
            throw new BatchLeaseLostException(lease.BatchId);
    }

    /// <summary>The chunk is committed.</summary>
    public void Committed(BatchPosition next, RecordCounts chunk, bool isTold)
    {
        (Position, Counts) = (next, Sum(chunk));
        if (isTold)
            inbox.Receipts.Wake();
    }

    /// <summary>Ends the batch, in the transaction of the handler's last effects.</summary>
    /// <exception cref="BatchLeaseLostException">This process has lost the batch's lease.</exception>
    public async Task SettleAsync(NpgsqlTransaction transaction, BatchId? retryBatch, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE claimcheck.inbox_batches
               SET state = 'settled', lease_token = NULL, leased_until = NULL, updated_at = now()
             WHERE consumer = @consumer AND batch_id = @batch AND state = 'open' AND lease_token = @token
            """;
        var state = Counts switch
        {
            { Transient: 0, Terminal: 0 } => ReceiptState.Completed,
            { Succeeded: 0 } => ReceiptState.Failed,
            _ => ReceiptState.PartiallyFailed,
        };
        await using var batch = new NpgsqlBatch(Connection, transaction);
        var update = Guarded(sql);
        batch.BatchCommands.Add(update);
        batch.BatchCommands.Add(
            inbox.Receipts.Put(lease.BatchId, Report(state, Counts, null), Counts.Transient > 0 ? retryBatch : null));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        if (update.RecordsAffected != 1)
            throw new BatchLeaseLostException(lease.BatchId);
        await transaction.CommitAsync(cancellationToken);
        isOver = true;
        inbox.Receipts.Wake();
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await renewing;
        await Connection.DisposeAsync();
        if (!isOver)
            await ReleaseAsync(inbox, lease);
        stop.Dispose();
    }

    // The process that takes the batch over terminates this session, so that nothing waits for its locks.
    private static async Task MarkSessionAsync(
        BatchInbox inbox, BatchLease lease, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            UPDATE claimcheck.inbox_batches
               SET holder_pid = pg_backend_pid(),
                   holder_since = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
             WHERE consumer = @consumer AND batch_id = @batch AND state = 'open' AND lease_token = @token
            """;
        await using var transaction = await inbox.Database.BeginAsync(connection, mayIdle: false, cancellationToken);
        await using var sign = transaction.Command(
            sql, ("consumer", inbox.Consumer), ("batch", lease.BatchId.Value), ("token", lease.Token));
        await sign.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task ReleaseAsync(BatchInbox inbox, BatchLease lease)
    {
        using var cleanUp = new CancellationTokenSource(CleanUp);
        try
        {
            await inbox.ReleaseAsync(lease, cleanUp.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or InboxUnavailableException)
        {
            // It expires by itself.
        }
    }

    private async Task RenewAsync(Action revoked, CancellationToken cancellationToken)
    {
        var renewed = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await Task.Delay(inbox.Lease / 6, cancellationToken);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(inbox.Lease);
                var asked = TimeProvider.System.GetTimestamp();
                var entry = await inbox.RenewAsync(lease, limit.Token);
                if (entry == InboxEntry.Revoked)
                    revoked();
                if (entry != InboxEntry.Held)
                    break;
                renewed = asked;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception) // whatever fails, the batch is not held any longer; and the connection is disposed in any case
            {
                if (TimeProvider.System.GetElapsedTime(renewed) > inbox.Lease)
                    break;
            }
        }
        await lost.CancelAsync();
    }

    private RecordCounts Sum(RecordCounts chunk) =>
        new(Counts.Succeeded + chunk.Succeeded, Counts.Transient + chunk.Transient, Counts.Terminal + chunk.Terminal);

    private static ReceiptReport Report(string state, RecordCounts counts, BatchPosition? position) => new()
    {
        State = state,
        Succeeded = counts.Succeeded,
        Transient = counts.Transient,
        Terminal = counts.Terminal,
        Checkpoint = position?.ToString(),
    };

    private NpgsqlBatchCommand Guarded(string sql, params ReadOnlySpan<(string Name, object? Value)> more) =>
        InboxCommands.OfBatch(
            sql, [("consumer", inbox.Consumer), ("batch", lease.BatchId.Value), ("token", lease.Token), .. more]);

    private NpgsqlBatchCommand Failures(IReadOnlyList<FailedRecord> failures) => InboxCommands.OfBatch(
        """
        INSERT INTO claimcheck.inbox_failures (consumer, batch_id, ordinal, key, class, code, message)
        SELECT @consumer, @batch, f.ordinal, f.key, f.class, f.code, f.message
          FROM unnest(@ordinals, @keys, @classes, @codes, @messages) AS f (ordinal, key, class, code, message)
        """,
        ("consumer", inbox.Consumer),
        ("batch", lease.BatchId.Value),
        ("ordinals", failures.Select(each => each.Ordinal).ToArray()),
        ("keys", failures.Select(each => each.Key).ToArray()),
        ("classes", failures.Select(each => each.Class).ToArray()),
        ("codes", failures.Select(each => each.Code).ToArray()),
        ("messages", failures.Select(each => each.Message).ToArray()));
}
