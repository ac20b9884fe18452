using ClaimCheck.Service.BulkJobs.Bodies;
using NpgsqlTypes;

namespace ClaimCheck.Service.BulkJobs.Targets;

/// <summary>The target's outcome of a chunk; items by their index in the chunk.</summary>
internal sealed record ChunkOutcome(int[] NotFound, int[] Failed, string[] States, string[] Names)
{
    public bool IsClean => NotFound.Length == 0 && Failed.Length == 0;
}

/// <summary>Items that are applied together, and the id under which that is noted.</summary>
internal sealed record JobChunk(int Round, long Number, IReadOnlyList<JobItem> Items);

/// <summary>One connection to a target, with the operation's functions in its pg_temp. A chunk is one round trip and one
/// transaction.</summary>
internal sealed class TargetSession : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private readonly Operation operation;
    private readonly Guid? job;
    private readonly int keyPlace;
    private readonly PostgresType keyType;

    private TargetSession(NpgsqlConnection connection, Operation operation, Guid? job) =>
        (this.connection, this.operation, this.job, keyPlace, keyType) =
            (connection, operation, job, operation.KeyPlace, operation.Types[operation.KeyPlace]);

    /// <exception cref="JobFailedException">The table that exactly once needs is not there.</exception>
    public static async Task<TargetSession> OpenAsync(
        NpgsqlDataSource target, JobLease lease, BulkJobsOptions options, CancellationToken cancellationToken)
    {
        var wanted = lease.Operation;
        var opened = await target.OpenConnectionAsync(cancellationToken);
        try
        {
            if (wanted.IsExactlyOnce && !await TargetScript.IsAppliedAsync(opened, cancellationToken))
            {
                throw new JobFailedException(
                    "applied_chunks_missing",
                    $"The target {wanted.Target} has no table claimcheck.applied_chunks: its operator must run the script of GET "
                    + "/v1/operations/target.sql there.");
            }

            await using var batch = opened.CreateBatch();
            // A worker that is stuck must not keep rows locked.
            foreach (var sql in (IEnumerable<string>)
            [
                SessionPins.Block, // so that a backslash in the statement's text means the same as when it runs
                $"SET statement_timeout = {(long)options.StatementTimeout.TotalMilliseconds}",
                $"SET lock_timeout = {(long)options.LockTimeout.TotalMilliseconds}",
                "SET idle_in_transaction_session_timeout = '60s'",
                SessionPins.NoticesTheEnd(isLocal: false),
                .. OperationSql.Functions(wanted),
            ])
            {
                batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
            }

            await batch.ExecuteNonQueryAsync(cancellationToken);
            return new(opened, wanted, wanted.IsExactlyOnce ? lease.JobId.Value : null);
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    /// <summary>Applies all items of a chunk, without an exception block.</summary>
    /// <param name="chunk">None of its items is invalid.</param>
    /// <param name="isStrict">An item that touches nothing fails them all.</param>
    /// <param name="isNoted">Whether it is its own transaction and noted; else it is part of one.</param>
    /// <param name="cancellationToken">Cancels it; what it did is rolled back.</param>
    /// <returns>Null where the chunk was applied before.</returns>
    public async Task<ChunkOutcome?> ApplyAsync(JobChunk chunk, bool isStrict, bool isNoted, CancellationToken cancellationToken)
    {
        await using var batch = Pinned(Command("SELECT pg_temp.claimcheck_apply", chunk, isStrict, isNoted));
        return await batch.ExecuteScalarAsync(cancellationToken) is int[] missing ? new(missing, [], [], []) : null;
    }

    /// <summary>Applies a chunk of which something failed: applies the good items, and reports the bad ones.</summary>
    /// <param name="chunk">None of its items is invalid.</param>
    /// <param name="isNoted">Whether it is its own transaction and noted; else it is part of one.</param>
    /// <param name="isProven">Whether items have passed before, so that the operation fits the target; if not, and no item
    /// passes, it fails as a whole.</param>
    /// <param name="cancellationToken">Cancels it; what it did is rolled back.</param>
    /// <returns>Null where the chunk was applied before.</returns>
    public async Task<ChunkOutcome?> SiftAsync(JobChunk chunk, bool isNoted, bool isProven, CancellationToken cancellationToken)
    {
        await using var batch = Pinned(Command("SELECT * FROM pg_temp.claimcheck_sift", chunk, isStrict: !isProven, isNoted));
        return await ReadAsync(batch, cancellationToken);
    }

    /// <summary>What is noted of a chunk.</summary>
    /// <exception cref="JobFailedException">It is void: another worker has ended the job, or was about to when
    /// it was lost.</exception>
    public async Task<ChunkOutcome?> FindAsync(int round, long chunk, CancellationToken cancellationToken)
    {
        await using var batch = Pinned(Noted(
            """
            SELECT not_found, failed, states, names, is_void
              FROM claimcheck.applied_chunks
             WHERE job_id = $1 AND round = $2 AND chunk = $3
            """,
            round,
            chunk));
        return await ReadAsync(batch, cancellationToken);
    }

    /// <summary>Notes a chunk: with its failures, or as part of the whole transaction.</summary>
    /// <returns>False where it is noted already.</returns>
    public async Task<bool> NoteAsync(int round, long chunk, ChunkOutcome? outcome, CancellationToken cancellationToken)
    {
        if (job is null)
            return true;
        var command = Noted(
            """
            INSERT INTO claimcheck.applied_chunks (job_id, round, chunk, not_found, failed, states, names)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT DO NOTHING
            """,
            round,
            chunk);
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = outcome?.NotFound ?? [] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = outcome?.Failed ?? [] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = outcome?.States ?? [] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = outcome?.Names ?? [] });
        await using var batch = Pinned(command);
        return await batch.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Makes sure that a chunk can never be applied. Where a worker is applying it now, waits as long as its
    /// statement may take.</summary>
    /// <returns>False where it was applied.</returns>
    public async Task<bool> VoidAsync(int round, long chunk, CancellationToken cancellationToken)
    {
        await using var transaction = await BeginAsync(cancellationToken);
        await using (var patient = new NpgsqlCommand("SET LOCAL lock_timeout = 0", connection))
            await patient.ExecuteNonQueryAsync(cancellationToken);
        await using var batch = Pinned(Noted(
            """
            INSERT INTO claimcheck.applied_chunks AS known (job_id, round, chunk, is_void)
            VALUES ($1, $2, $3, true)
            ON CONFLICT (job_id, round, chunk) DO UPDATE SET is_void = known.is_void
            RETURNING is_void
            """,
            round,
            chunk));
        var isVoid = (bool)(await batch.ExecuteScalarAsync(cancellationToken))!;
        await transaction.CommitAsync(cancellationToken);
        return isVoid;
    }

    public ValueTask<NpgsqlTransaction> BeginAsync(CancellationToken cancellationToken) =>
        connection.BeginTransactionAsync(cancellationToken);

    public async ValueTask DisposeAsync() => await connection.DisposeAsync();

    private static async Task<ChunkOutcome?> ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken) || await reader.IsDBNullAsync(0, cancellationToken))
            return null;
        if (reader.FieldCount == 5 && reader.GetBoolean(4))
            throw new JobFailedException(
                "worker_lost", "A worker was lost while it ended the job; nothing more of it is applied.");
        return new(reader.GetFieldValue<int[]>(0), reader.GetFieldValue<int[]>(1), reader.GetFieldValue<string[]>(2),
            reader.GetFieldValue<string[]>(3));
    }

    // One round trip, and one transaction where none is open: first the settings that texts depend on, then the statements that
    // depend on them.
    private NpgsqlBatch Pinned(NpgsqlBatchCommand command) =>
        new(connection) { BatchCommands = { new NpgsqlBatchCommand(SessionPins.Block), command }, Timeout = 0 };

    private NpgsqlBatchCommand Noted(string sql, int round, long chunk)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid>
        {
            TypedValue = job ?? throw new InvalidOperationException("The operation notes nothing."),
        });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = round });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = chunk });
        return command;
    }

    private NpgsqlBatchCommand Command(string call, JobChunk chunk, bool isStrict, bool isNoted)
    {
        var (order, ends) = Waves(chunk.Items);
        var count = operation.Parameters.Count;
        var command = new NpgsqlBatchCommand($"{call}({string.Join(", ", Enumerable.Range(1, count + 6).Select(i => $"${i}"))})");
        command.Parameters.Add(
            new NpgsqlParameter { Value = isNoted && job is { } id ? id : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = chunk.Round });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = chunk.Number });
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = isStrict });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = ends });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = order });
        for (var place = 0; place < count; place++)
        {
            var values = new string?[order.Length];
            for (var i = 0; i < order.Length; i++)
                values[i] = chunk.Items[order[i]].Values![place];
            command.Parameters.Add(new NpgsqlParameter { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        }

        return command;
    }

    // A statement over many items sees none of their effects: items with the same key go into separate waves.
    private (int[] Order, int[] Ends) Waves(IReadOnlyList<JobItem> items)
    {
        var places = Enumerable.Range(0, items.Count).ToArray();
        if (!operation.IsSet)
            return (places, [items.Count]);
        var times = new Dictionary<string, int>(items.Count, StringComparer.Ordinal);
        var waves = new int[items.Count];
        var last = 0;
        foreach (var place in places)
        {
            var key = SameValue.Of(keyType, items[place].Values![keyPlace]!);
            waves[place] = times.GetValueOrDefault(key);
            times[key] = waves[place] + 1;
            last = Math.Max(last, waves[place]);
        }

        if (last == 0)
            return (places, [items.Count]);
        Array.Sort((int[])waves.Clone(), places); // not stable, but within a wave the order has no meaning
        var ends = new int[last + 1];
        foreach (var wave in waves)
            ends[wave]++;
        for (var wave = 1; wave <= last; wave++)
            ends[wave] += ends[wave - 1];
        return (places, ends);
    }
}
