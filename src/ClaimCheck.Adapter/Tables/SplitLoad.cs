using NpgsqlTypes;

namespace ClaimCheck.Adapter.Tables;

/// <summary>
/// Loads what it can of a chunk: a range of records that fails is halved, through the same temporary table as the whole chunk,
/// and the last few are inserted into the table one by one, without the temporary table, so that each verdict is the table's own.
/// Where a SQLSTATE does not decide, the evidence does: where any record passes, those that fail are at fault themselves; where
/// none does, the table is, and no record is failed.
/// </summary>
internal sealed class SplitLoad(
    RecordChunk<Record> chunk, LoadPlan plan, RecordWriter records, bool isStaged, CancellationToken cancellationToken)
{
    private const string BeforePart = "claimcheck_part";

    private const string RecordMismatch = "record_mismatch";

    // For so few records, single inserts are faster.
    private const int Few = 4;

    // Records that are tried, evenly spread, before the table itself is found at fault.
    private const int Samples = 256;

    private readonly Dictionary<int, PostgresException> refused = [];
    private bool hasPassed;

    /// <param name="good">One that the table has accepted, as evidence where none of these passes.</param>
    /// <exception cref="PostgresException">No record is at fault.</exception>
    public async Task LoadAsync(LoadedRecord? good)
    {
        var lines = new LinesOfKeys(chunk, plan, records, FailMismatches());
        for (var next = lines.First(); next.Length > 0; next = lines.After(refused.Keys))
            await LoadAsync(next, good);
        var unsure = refused.Values.FirstOrDefault(e => SqlFailure.FaultOf(e) == SqlFault.Unsure);
        if (unsure is not null && !hasPassed && !await TakesAsync(good))
            throw unsure;
        foreach (var (index, e) in refused)
        {
            if (SqlFailure.FaultOf(e) == SqlFault.TransientOfRecord || SqlFailure.IsTransient(e))
                chunk[index].FailTransient(SqlFailure.CodeOf(e), SqlFailure.MessageOf(e));
            else
                chunk[index].FailTerminal(SqlFailure.CodeOf(e), SqlFailure.MessageOf(e));
        }
    }

    // A value that can't be one of its column's type fails its record only, and is never sent.
    private HashSet<int> FailMismatches()
    {
        var failed = new HashSet<int>();
        for (var place = 0; place < chunk.Count; place++)
        {
            if (records.FaultOf(chunk[place].Value) is not { } fault)
                continue;
            failed.Add(place);
            chunk[place].FailTerminal(RecordMismatch, fault);
        }

        return failed;
    }

    private async Task LoadAsync(ReadOnlyMemory<int> which, LoadedRecord? good)
    {
        if (which.Length <= Few || !isStaged)
        {
            for (var i = 0; i < which.Length; i++)
                await OneAsync(which.Span[i]);
            return;
        }

        if (await TryAsync(which) is not { } failure)
        {
            hasPassed = true;
            return;
        }

        // Otherwise each record would be tried on a table that accepts none.
        if (SqlFailure.FaultOf(failure) == SqlFault.Unsure && !hasPassed)
            hasPassed = await TakesAsync(good) || await TakesAnyAsync(which) ? true : throw failure;
        await LoadAsync(which[..(which.Length / 2)], good);
        await LoadAsync(which[(which.Length / 2)..], good);
    }

    // Null: they are loaded.
    private async Task<PostgresException?> TryAsync(ReadOnlyMemory<int> which)
    {
        records.Clear();
        await chunk.Transaction.SaveAsync(BeforePart, cancellationToken);
        try
        {
            await chunk.Connection.CopyInAsync(
                LoadPlan.Copy, (stream, token) => records.WriteAsync(stream, chunk, which, token), cancellationToken);
            var upsert = new NpgsqlBatchCommand(plan.Upsert);
            if (plan.MarksBatch)
                upsert.Parameters.AddWithValue("batch", plan.Mark(chunk.BatchId));
            await RunAsync(new(LoadPlan.Strict), upsert, new(LoadPlan.Empty), new($"RELEASE SAVEPOINT {BeforePart}"));
            return null;
        }
        catch (PostgresException e) when (SqlFailure.IsOfRecords(e))
        {
            await UndoAsync();
            return e;
        }
    }

    private async Task OneAsync(int index)
    {
        if (await InsertAsync(records.ValuesOf(chunk[index].Value), isKept: true) is { } failure)
            refused.Add(index, failure);
        else
            hasPassed = true;
    }

    private async Task<bool> TakesAsync(LoadedRecord? good) =>
        good is not null && await InsertAsync(good.Values, isKept: false) is null;

    private async Task<bool> TakesAnyAsync(ReadOnlyMemory<int> which)
    {
        for (var i = 0; i < Math.Min(Samples, which.Length); i++)
        {
            var index = which.Span[(int)((long)i * which.Length / Math.Min(Samples, which.Length))];
            if (await InsertAsync(records.ValuesOf(chunk[index].Value), isKept: false) is null)
                return true;
        }

        return false;
    }

    private async Task<PostgresException?> InsertAsync(byte[]?[] values, bool isKept)
    {
        var insert = new NpgsqlBatchCommand(plan.Insert);
        for (var i = 0; i < values.Length; i++)
        {
            if (plan.Loads(i))
                insert.Parameters.Add(
                    new NpgsqlParameter($"c{i}", NpgsqlDbType.Text) { Value = values[i] ?? (object)DBNull.Value });
        }

        if (plan.MarksBatch)
            insert.Parameters.AddWithValue("batch", plan.Mark(chunk.BatchId));
        var end =
            isKept ? $"RELEASE SAVEPOINT {BeforePart}" : $"ROLLBACK TO SAVEPOINT {BeforePart}; RELEASE SAVEPOINT {BeforePart}";
        try
        {
            await RunAsync([new($"SAVEPOINT {BeforePart}"), new(LoadPlan.Strict), insert,
                .. end.Split("; ").Select(sql => new NpgsqlBatchCommand(sql))]);
            return null;
        }
        catch (PostgresException e) when (SqlFailure.IsOfRecords(e))
        {
            await UndoAsync();
            return e;
        }
    }

    // Released as well: thousands of nested savepoints would be slow.
    private async Task UndoAsync()
    {
        await chunk.Transaction.RollbackAsync(BeforePart, cancellationToken);
        await chunk.Transaction.ReleaseAsync(BeforePart, cancellationToken);
    }

    private async Task RunAsync(params NpgsqlBatchCommand[] commands)
    {
        await using var batch = new NpgsqlBatch(chunk.Connection, chunk.Transaction) { Timeout = 0 };
        foreach (var command in commands)
            batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>A record that a table has accepted: its fields as texts.</summary>
internal sealed record LoadedRecord(byte[]?[] Values)
{
    public override string ToString() => $"{Values.Length} fields";
}
