namespace ClaimCheck.Service.Revocation;

/// <summary>Revokes a batch: from this commit on nothing is minted for it, no worker can complete it, and the eraser deletes its
/// objects. Before ready it is a cancellation.</summary>
internal sealed partial class BatchRevoker(NpgsqlDataSource catalog, LinkProber prober, ILogger<BatchRevoker> logger)
{
    // Probing must not delay a revocation for long: what was not answered by then counts as not asked.
    private static readonly TimeSpan ProbingBefore = TimeSpan.FromSeconds(3);

    /// <summary>Commits the end of a batch (and of the retry batches made from it). Batches that have ended keep their
    /// state.</summary>
    /// <returns>False where the batch does not exist for the caller.</returns>
    public async Task<bool> RevokeAsync(Caller caller, BatchId batch, string? reason, CancellationToken cancellationToken)
    {
        var probes = new Dictionary<Guid, IReadOnlyList<Probe>>();
        while (true)
        {
            await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
            var family = await LockFamilyAsync(transaction, caller, batch, cancellationToken);
            if (family.Count == 0)
                return false;

            // Working links must be seen to work before they die: probed outside the lock, then the state is checked again.
            var unseen = family.Where(member => member.State == ExportState.Ready && !probes.ContainsKey(member.BatchId))
                .ToList();
            if (unseen.Count > 0)
            {
                await transaction.DisposeAsync();
                foreach (var member in unseen)
                {
                    var keys = await prober.ObjectsAsync(new(member.BatchId), cancellationToken);
                    probes[member.BatchId] = await prober.BeforeAsync(keys, ProbingBefore, cancellationToken);
                }

                continue;
            }

            // Callers may have seen these as expired already: an end state, which stays.
            foreach (var member in family.Where(member => member.IsOver))
                await Retention.ExpireAsync(transaction, member.BatchId, cancellationToken);
            var cascaded = family.Where(member => member.BatchId != batch.Value && !ExportState.IsEnd(member.State)).ToList();
            foreach (var member in family.Where(member => !ExportState.IsEnd(member.State)))
            {
                await EndAsync(transaction, member, caller, reason, cancellationToken);
                await RequestDeletionAsync(
                    transaction, member.BatchId, probes.GetValueOrDefault(member.BatchId, []), cancellationToken);
            }

            var itself = family.Single(member => member.BatchId == batch.Value);
            if (itself.State is ExportState.Expired or ExportState.Failed or ExportState.Cancelled)
                await VerifyAgainAsync(transaction, batch, cancellationToken);
            if (cascaded.Count > 0)
                await NoteCascadeAsync(transaction, batch, cascaded, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            if (!ExportState.IsEnd(itself.State))
                Log.Ended(logger, batch, itself.State == ExportState.Ready ? ExportState.Revoked : ExportState.Cancelled,
                    caller.Name, cascaded.Count);
            return true;
        }
    }

    // The batch and all retry batches made from it. Completions, claims and manifests wait for this lock.
    private static async Task<IReadOnlyList<Member>> LockFamilyAsync(
        Transaction transaction, Caller caller, BatchId batch, CancellationToken cancellationToken)
    {
        const string family = """
            WITH RECURSIVE family AS (
                SELECT batch_id FROM exports WHERE batch_id = @Id AND tenant = @Tenant
                 UNION
                SELECT e.batch_id FROM exports e JOIN family f ON e.retry_of = f.batch_id
            )
            """;
        var parameters = new { Id = batch.Value, caller.Tenant };
        foreach (var member in await transaction.ListAsync<Guid>(
            $"{family} SELECT batch_id FROM family ORDER BY batch_id", parameters, cancellationToken))
        {
            await BatchQueue.EnterAsync(transaction, new(member), cancellationToken);
        }

        return await transaction.ListAsync<Member>(
            $"""
            {family}
            SELECT id, batch_id, tenant, dataset, consumer, state AS stored_state,
                   state = 'ready' AND expires_at <= now() AS is_over
              FROM exports
             WHERE batch_id IN (SELECT batch_id FROM family)
             ORDER BY batch_id
               FOR UPDATE
            """,
            parameters,
            cancellationToken);
    }

    private static async Task EndAsync(
        Transaction transaction, Member member, Caller caller, string? reason, CancellationToken cancellationToken)
    {
        var isReady = member.State == ExportState.Ready;
        var endedAt = await transaction.QuerySingleAsync<DateTimeOffset>(
            """
            UPDATE exports
               SET state = @To, ended_at = now(), ended_by = @Name, reason = @reason, lease_token = NULL, lease_until = NULL
             WHERE id = @Id AND state = @State
            RETURNING ended_at
            """,
            new { member.Id, member.State, To = isReady ? ExportState.Revoked : ExportState.Cancelled, caller.Name, reason },
            cancellationToken);
        var (export, batch) = (new ExportId(member.Id), new BatchId(member.BatchId));
        await Outbox.AddAsync(
            transaction,
            isReady ? EventTypes.BulkRevoked : EventTypes.BulkCancelled,
            new(member.Id, member.BatchId, member.Tenant, member.Dataset, member.Consumer),
            isReady
                ? new BulkRevokedData(export, batch, member.Dataset, reason, endedAt)
                : new BulkCancelledData(export, batch, member.Dataset, reason),
            cancellationToken);
    }

    private static Task RequestDeletionAsync(
        Transaction transaction, Guid batchId, IReadOnlyList<Probe> probes, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            "INSERT INTO batch_deletions (batch_id, probes, remaining) VALUES (@batchId, @Probes::jsonb, @Remaining)",
            new { batchId, Probes = JsonSerializer.Serialize(probes, ClaimCheckJson.Options), Remaining = (long)probes.Count },
            cancellationToken);

    private static Task VerifyAgainAsync(Transaction transaction, BatchId batch, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            """
            UPDATE batch_deletions
               SET verified_at = NULL, pending_reason = NULL, next_try_at = now()
             WHERE batch_id = @Id AND verified_at IS NOT NULL
            """,
            new { Id = batch.Value },
            cancellationToken);

    private static Task NoteCascadeAsync(
        Transaction transaction, BatchId batch, IReadOnlyList<Member> cascaded, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            "UPDATE batch_deletions SET cascaded = cascaded || @Ids WHERE batch_id = @Id",
            new { Id = batch.Value, Ids = cascaded.Select(member => member.BatchId).ToArray() },
            cancellationToken);

    // Over: its retention has ended, and the retention worker has not stored that yet.
    private sealed record Member(
        Guid Id, Guid BatchId, string Tenant, string Dataset, string Consumer, string StoredState, bool IsOver)
    {
        public string State => IsOver ? ExportState.Expired : StoredState;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "Batch {BatchId} is {State} by {Caller}, and {Cascaded} retry batches with it; its objects are being deleted.")]
        public static partial void Ended(ILogger logger, BatchId batchId, string state, string caller, int cascaded);
    }
}
