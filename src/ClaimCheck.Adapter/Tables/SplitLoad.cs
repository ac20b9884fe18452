using ClaimCheck.Consumer;
using Npgsql;

namespace ClaimCheck.Adapter.Tables;

/// <summary>Loads what it can of a chunk: a run of records that fails is halved, and a single one that fails is failed with its reason.</summary>
internal sealed class SplitLoad(RecordChunk<Record> chunk, LoadPlan plan, RecordWriter records, CancellationToken cancellationToken)
{
    private const string BeforeRun = "claimcheck_run";

    public async Task LoadAsync()
    {
        await RunAsync(new NpgsqlBatchCommand(plan.StageNumbered));
        await CopyAsync(0, chunk.Count);
    }

    // Texts take everything, but what the database's encoding does not have.
    private async Task CopyAsync(int from, int to)
    {
        records.Clear();
        await chunk.Transaction.SaveAsync(BeforeRun, cancellationToken);
        try
        {
            await chunk.Connection.CopyInAsync(LoadPlan.CopyNumbered, (stream, token) => records.WriteAsync(stream, chunk, from, to, isNumbered: true, token), cancellationToken);
        }
        catch (PostgresException e) when (SqlFailure.FaultOf(e) == Fault.Record)
        {
            await UndoAsync();
            if (to - from == 1)
            {
                Fail(from, e);
                return;
            }

            var middle = from + ((to - from) / 2);
            await CopyAsync(from, middle);
            await CopyAsync(middle, to);
            return;
        }

        await chunk.Transaction.ReleaseAsync(BeforeRun, cancellationToken);
        await UpsertAsync(from, to);
    }

    private async Task UpsertAsync(int from, int to)
    {
        var upsert = new NpgsqlBatchCommand(plan.UpsertRange);
        upsert.Parameters.AddWithValue("from", from);
        upsert.Parameters.AddWithValue("to", to);
        if (plan.MarksBatch)
            upsert.Parameters.AddWithValue("batch", plan.Mark(chunk.BatchId));
        try
        {
            await RunAsync(
                new NpgsqlBatchCommand("SET CONSTRAINTS ALL IMMEDIATE"), new($"SAVEPOINT {BeforeRun}"), upsert, new($"RELEASE SAVEPOINT {BeforeRun}"));
        }
        catch (PostgresException e) when (SqlFailure.FaultOf(e) is Fault.Record or Fault.RecordForNow)
        {
            await UndoAsync();
            if (to - from == 1)
            {
                Fail(from, e);
                return;
            }

            var middle = from + ((to - from) / 2);
            await UpsertAsync(from, middle);
            await UpsertAsync(middle, to);
        }
    }

    // Released as well: thousands of savepoints within each other would be slow.
    private async Task UndoAsync()
    {
        await chunk.Transaction.RollbackAsync(BeforeRun, cancellationToken);
        await chunk.Transaction.ReleaseAsync(BeforeRun, cancellationToken);
    }

    private void Fail(int index, PostgresException e)
    {
        if (SqlFailure.FaultOf(e) == Fault.RecordForNow)
            chunk[index].FailTransient(SqlFailure.CodeOf(e), SqlFailure.MessageOf(e));
        else
            chunk[index].FailTerminal(SqlFailure.CodeOf(e), SqlFailure.MessageOf(e));
    }

    private async Task RunAsync(params NpgsqlBatchCommand[] commands)
    {
        await using var batch = new NpgsqlBatch(chunk.Connection, chunk.Transaction) { Timeout = 0 };
        foreach (var command in commands)
            batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
