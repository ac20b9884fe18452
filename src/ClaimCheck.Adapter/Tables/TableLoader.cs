namespace ClaimCheck.Adapter.Tables;

/// <summary>
/// Loads the chunks of one batch into a table, in the inbox's transaction: all records of a chunk in one statement, and where
/// that fails by repeated halving, until only single records with a reason are left out.
/// </summary>
internal sealed partial class TableLoader(
    TableDestination destination, int chunkAttempts, ILogger logger) : IRecordHandler<Record>
{
    private const string BeforeChunk = "claimcheck_load";
    private const string Csv = "csv";
    private const string TooMuch = "54";
    private LoadPlan? plan;
    private RecordWriter? records;
    private bool isCsv;
    private bool isStaged;
    private LoadedRecord? good;

    /// <summary>How many records a revocation deleted; null where it deletes none, or was known already.</summary>
    public long? Deleted { get; private set; }

    public async Task OnBatchStartingAsync(BatchStart batch, CancellationToken cancellationToken)
    {
        try
        {
            var manifest = batch.Manifest;
            isCsv = manifest.Format == Csv;
            plan = await new TableSchema(destination)
                .PlanAsync(batch.Connection, manifest.Columns, manifest.Key, cancellationToken);
            records = new(manifest.Columns, plan, !isCsv);
            isStaged = await StageAsync(batch.Connection, cancellationToken);
        }
        catch (PostgresException e)
        {
            throw Stopped(e, batch.Ready.BatchId);
        }
    }

    public async Task HandleAsync(RecordChunk<Record> chunk, CancellationToken cancellationToken)
    {
        await TextSettings.SetAsync(chunk.Connection, chunk.Transaction, cancellationToken);
        if (isStaged && await TryAllAsync(chunk, cancellationToken))
        {
            good = new(records!.ValuesOf(chunk[0].Value));
            return;
        }

        try
        {
            await new SplitLoad(chunk, plan!, records!, isStaged, cancellationToken).LoadAsync(good);
            if (chunk.Failed > 0)
                Log.Refused(logger, chunk.BatchId, chunk.Start, chunk.Failed, chunk.Count, destination.Table);
        }
        catch (PostgresException e) when (!IsTriedAgain(e, chunk))
        {
            throw Stopped(e, chunk.BatchId);
        }
    }

    public async Task OnRevokedAsync(BatchDiscard discard, CancellationToken cancellationToken)
    {
        if (!destination.DeletesRevoked || discard.Applied.Succeeded == 0)
            return;
        try
        {
            await using var delete = new NpgsqlCommand(
                $"DELETE FROM {destination.Table.Sql} WHERE {TableName.Quote(destination.BatchColumn!)} = @batch",
                discard.Connection,
                discard.Transaction);
            delete.CommandTimeout = 0;
            // The column may be text or uuid; Postgres converts the text.
            var isUuid = await IsUuidAsync(discard, cancellationToken);
            delete.Parameters.AddWithValue("batch", isUuid ? discard.BatchId.Value : discard.BatchId.ToString());
            Deleted = await delete.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException e) when (SqlFailure.FaultOf(e) != SqlFault.TransientOfServer)
        {
            throw Stopped(e, discard.BatchId);
        }
    }

    private async Task<bool> IsUuidAsync(BatchDiscard discard, CancellationToken cancellationToken)
    {
        const string sql = "SELECT atttypid = 'uuid'::regtype FROM pg_attribute WHERE attrelid = to_regclass(@table) AND attname "
            + "= @column AND NOT attisdropped";
        await using var ask = new NpgsqlCommand(sql, discard.Connection, discard.Transaction);
        ask.Parameters.AddWithValue("table", destination.Table.Sql);
        ask.Parameters.AddWithValue("column", destination.BatchColumn!);
        return await ask.ExecuteScalarAsync(cancellationToken) is true;
    }

    private async Task<bool> TryAllAsync(RecordChunk<Record> chunk, CancellationToken cancellationToken)
    {
        var transaction = chunk.Transaction;
        await transaction.SaveAsync(BeforeChunk, cancellationToken);
        try
        {
            await chunk.Connection.CopyInAsync(LoadPlan.Copy, (to, token) => WriteAsync(chunk, to, token), cancellationToken);
            await using var batch = new NpgsqlBatch(chunk.Connection, transaction) { Timeout = 0 };
            batch.BatchCommands.Add(new(LoadPlan.Strict));
            var upsert = new NpgsqlBatchCommand(plan!.Upsert);
            if (plan.MarksBatch)
                upsert.Parameters.AddWithValue("batch", plan.Mark(chunk.BatchId));
            batch.BatchCommands.Add(new("SELECT count(*) FROM pg_temp.claimcheck_stage"));
            batch.BatchCommands.Add(upsert);
            // Both parsers of CSV, this one and Postgres', must have seen the same records.
            if (await batch.ExecuteScalarAsync(cancellationToken) is not long staged || staged != chunk.Count)
                throw new TableException(TableException.Mismatch, $"Table {destination.Table}: Postgres did not read the "
                    + $"{chunk.Count} records that the chunk at {chunk.Start} has.", chunk.BatchId);
            return true;
        }
        catch (Exception e) when (e is RecordMismatchException
            || (e is PostgresException state && !IsTriedAgain(state, chunk) && SqlFailure.IsOfRecords(state)))
        {
            await transaction.RollbackAsync(BeforeChunk, cancellationToken);
            return false;
        }
        catch (PostgresException e) when (!IsTriedAgain(e, chunk))
        {
            throw Stopped(e, chunk.BatchId);
        }
    }

    // As they are stored in their block, where that is unchanged; each reader unescapes doubled quotes itself.
    private Task WriteAsync(RecordChunk<Record> chunk, Stream to, CancellationToken cancellationToken)
    {
        if (isCsv && !records!.MayBeForeign && chunk.Written is { } written)
            return to.WriteAsync(written, cancellationToken).AsTask();
        records!.Clear();
        return records.WriteAsync(to, chunk, Enumerable.Range(0, chunk.Count).ToArray(), cancellationToken);
    }

    // A deadlock, a lock: retrying the whole chunk at once is the fastest way, while that is allowed.
    private bool IsTriedAgain(PostgresException e, RecordChunk<Record> chunk) =>
        e.IsTransient && SqlFailure.FaultOf(e) == SqlFault.TransientOfRecord && chunk.Attempt < chunkAttempts;

    private TableException Stopped(PostgresException e, BatchId batch)
    {
        // The driver's own message may quote a record.
        var isTransient = SqlFailure.IsTransient(e);
        return new(
            isTransient ? TableException.Unavailable : TableException.Refused,
            $"Table {destination.Table} can't be loaded into{(isTransient ? " now" : "")} (SQLSTATE {e.SqlState}, "
            + $"{SqlFailure.CodeOf(e)}). {SqlFailure.MessageOf(e)}",
            batch,
            isTransient);
    }

    // What can't be copied into the temporary table is inserted record by record: its limits are not those of the target table.
    private async Task<bool> StageAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(connection, plan!.Stage, cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState.StartsWith(TooMuch, StringComparison.Ordinal))
        {
            return false;
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // Built from the table's own columns, quoted.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "Batch {BatchId} at {Position}: {Failed} of {Count} records are not in table {Table}; the receipt has the reasons.")]
        public static partial void Refused(
            ILogger logger, BatchId batchId, BatchPosition position, int failed, int count, TableName table);
    }
}
