namespace ClaimCheck.Service.Revocation;

/// <summary>What is known about a batch's end: the report, and who had fetched links.</summary>
internal sealed class RevocationReports(ExportStore exports, NpgsqlDataSource catalog, CatalogSignals signals, LongPoll poll)
{
    private const int ShownCallers = 100;
    private const int ShownCascaded = 1000;

    private readonly CatalogWatch<Guid, bool> verified = new(
        signals,
        batch => CatalogSignals.Of(new BatchId(batch)),
        TimeSpan.FromSeconds(1),
        async (batches, cancellationToken) =>
        {
            return (await catalog.ListAsync<Guid>(
                "SELECT batch_id FROM batch_deletions WHERE batch_id = ANY(@Batches) AND verified_at IS NOT NULL",
                new { Batches = batches.ToArray() },
                cancellationToken)).Select(batch => (batch, true));
        });

    /// <summary>The report, as soon as the deletion is verified, or its progress when the time is up.</summary>
    public async Task<RevocationReport> WaitAsync(
        Caller caller, BatchId batch, TimeSpan atMost, CancellationToken cancellationToken)
    {
        await poll.UntilAsync(
            verified,
            batch.Value,
            async token => await VerifiedAtAsync(batch, token) is not null,
            isVerified => isVerified,
            atMost,
            cancellationToken);
        return await ReadAsync(caller, batch, cancellationToken);
    }

    /// <summary>The callers that fetched links, latest first, and their total number.</summary>
    public async Task<(IReadOnlyList<Redemption> Latest, long Total)> RedeemedAsync(
        BatchId batch, CancellationToken cancellationToken)
    {
        var rows = await catalog.ListAsync<(string Caller, long Times, DateTimeOffset LastAt, long Total)>(
            "SELECT caller, times, last_at, count(*) OVER () FROM redemptions WHERE batch_id = @Id ORDER BY last_at DESC, "
            + "caller LIMIT @ShownCallers",
            new { Id = batch.Value, ShownCallers },
            cancellationToken);
        return ([.. rows.Select(row => new Redemption(row.Caller, row.Times, row.LastAt))], rows.Count == 0 ? 0 : rows[0].Total);
    }

    public async Task<DateTimeOffset?> VerifiedAtAsync(BatchId batch, CancellationToken cancellationToken) =>
        (await FindDeletionAsync(batch, cancellationToken))?.VerifiedAt;

    private async Task<RevocationReport> ReadAsync(Caller caller, BatchId batch, CancellationToken cancellationToken)
    {
        var row = await exports.FindAsync(caller, batch, cancellationToken)
            ?? throw new InvalidOperationException($"{batch} has disappeared.");
        var deletion = await FindDeletionAsync(batch, cancellationToken);
        var (redeemed, redeemedTotal) = await RedeemedAsync(batch, cancellationToken);
        var probes = deletion is null ? [] : JsonSerializer.Deserialize<List<Probe>>(deletion.Probes, ClaimCheckJson.Options)!;
        return new()
        {
            BatchId = batch,
            State = row.State,
            Reason = row.Reason,
            RevokedAt = row.EndedAt,
            RevokedBy = row.EndedBy,
            VerifiedAt = deletion?.VerifiedAt,
            Objects = new(deletion?.Deleted ?? 0, deletion?.Remaining ?? 0, deletion?.UploadsAborted ?? 0),
            Probes = [.. probes.Select(
                probe => new LinkProbe(probe.Key[(probe.Key.LastIndexOf('/') + 1)..], probe.Before, probe.After, probe.At))],
            Redeemed = redeemed,
            RedeemedTotal = redeemedTotal,
            Cascaded = [.. (deletion?.Cascaded ?? []).Take(ShownCascaded).Select(id => new BatchId(id))],
            CascadedTotal = deletion?.Cascaded.Length ?? 0,
            Pending = deletion?.PendingReason,
        };
    }

    private Task<DeletionRow?> FindDeletionAsync(BatchId batch, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<DeletionRow>(
            """
            SELECT probes::text AS probes, deleted, remaining, uploads_aborted, cascaded, pending_reason, verified_at
              FROM batch_deletions
             WHERE batch_id = @Id
            """,
            new { Id = batch.Value },
            cancellationToken);

    private sealed record DeletionRow
    {
        public required string Probes { get; init; }
        public required long Deleted { get; init; }
        public required long Remaining { get; init; }
        public required long UploadsAborted { get; init; }
        public required Guid[] Cascaded { get; init; }
        public string? PendingReason { get; init; }
        public DateTimeOffset? VerifiedAt { get; init; }
    }
}
