namespace ClaimCheck.Service.Exporting;

/// <summary>How workers divide the exports among themselves: each lease has a token and a time limit by the database's clock. A
/// worker that lost its lease (killed, paused, disconnected) matches no row, so that its writes change
/// nothing.</summary>
internal sealed class ExportLeases(NpgsqlDataSource catalog, ExportingOptions options)
{
    // The most callers that one look considers; the next look continues after the one served last.
    private const int MostShares = 100;
    private volatile string lastShare = "";

    /// <summary>Leases the next export: of the caller with the fewest running exports or, among equals, of the one served longest
    /// ago; of its exports the one that has waited longest.</summary>
    /// <returns>Null when none is waiting.</returns>
    public async Task<ExportPlan?> TakeAsync(CancellationToken cancellationToken)
    {
        var lease = new { Token = Guid.NewGuid(), options.Lease, Attempt = NewAttempt(), After = lastShare, MostShares };
        // The index is exports_to_share: callers are found by skipping from one to the next, so that a long queue of one
        // costs nothing, and what waits for its next try delays nobody. SKIP LOCKED divides each queue among workers.
        var taken = await catalog.QuerySingleOrDefaultAsync<LeasedRow>(
            """
            WITH RECURSIVE shares (share, n) AS (
                SELECT share, 0 FROM (VALUES (''), (@After)) AS begins (share)
                UNION ALL
                SELECT (SELECT claimcheck_share(tenant, caller, dataset)
                          FROM exports
                         WHERE state = 'pending' AND claimcheck_share(tenant, caller, dataset) > shares.share
                         ORDER BY claimcheck_share(tenant, caller, dataset)
                         LIMIT 1), n + 1
                  FROM shares
                 WHERE share IS NOT NULL AND n < @MostShares
            ), running AS (
                SELECT claimcheck_share(tenant, caller, dataset) AS share, count(*) AS count FROM exports
                 WHERE state = 'running' GROUP BY 1
            ), next AS (
                SELECT waiting.id, turn.share
                  FROM (SELECT s.share
                          FROM (SELECT DISTINCT share FROM shares) s
                         CROSS JOIN LATERAL (
                               SELECT next_try_at
                                 FROM exports
                                WHERE state = 'pending' AND claimcheck_share(tenant, caller, dataset) = s.share
                                ORDER BY next_try_at
                                LIMIT 1) oldest
                          LEFT JOIN running r ON r.share = s.share
                          LEFT JOIN served_shares t ON t.queue = 'exports' AND t.share = s.share
                         WHERE oldest.next_try_at <= now()
                         ORDER BY coalesce(r.count, 0), t.served_at NULLS FIRST, oldest.next_try_at) turn
                 CROSS JOIN LATERAL (
                       SELECT id
                         FROM exports
                        WHERE state = 'pending' AND claimcheck_share(tenant, caller, dataset) = turn.share
                          AND next_try_at <= now()
                        ORDER BY next_try_at
                        LIMIT 1
                          FOR UPDATE SKIP LOCKED) waiting
                 LIMIT 1
            ), served AS (
                INSERT INTO served_shares (queue, share, served_at)
                SELECT 'exports', share, clock_timestamp() FROM next
                ON CONFLICT (queue, share) DO UPDATE SET served_at = excluded.served_at
            ), leased AS (
                UPDATE exports e
                   SET state = 'running', lease_token = @Token, lease_until = now() + @Lease, attempt = @Attempt,
                       leases = leases + 1, started_at = coalesce(started_at, now()),
                       records = 0, bytes = 0, uncompressed_bytes = 0, files = 0,
                       records_per_second = NULL, bytes_per_second = NULL, ranges_by = NULL, ranges = NULL
                  FROM next
                 WHERE e.id = next.id
             RETURNING e.id, e.batch_id, e.definition::text AS definition, e.criteria::text AS criteria,
                       e.format, e.compression, e.max_file_bytes, e.retry_of, e.consumer, e.traceparent, next.share
            ), noted AS (
                INSERT INTO attempts (batch_id, attempt, lease_token)
                SELECT batch_id, @Attempt, @Token FROM leased
            )
            SELECT leased.*, (SELECT unless_configured FROM default_framing) AS framing FROM leased
            """,
            lease,
            cancellationToken);
        lastShare = taken?.Share ?? "";
        return taken is null ? null : new ExportPlan
        {
            ExportId = new(taken.Id),
            BatchId = new(taken.BatchId),
            Attempt = lease.Attempt,
            LeaseToken = lease.Token,
            Dataset = JsonSerializer.Deserialize<FrozenDataset>(taken.Definition, ClaimCheckJson.Options)!,
            Criteria = JsonElement.Parse(taken.Criteria),
            Format = taken.Format,
            Compression = taken.Compression,
            MaxFileBytes = taken.MaxFileBytes,
            CompressedFraming = options.Framing is { Length: > 0 } set ? set : taken.Framing ?? BlockFraming.Gzip,
            RetryOf = taken.RetryOf is { } original ? new BatchId(original) : null,
            Consumer = taken.Consumer,
            TraceParent = taken.TraceParent,
        };
    }

    /// <summary>Renews the lease, and records the progress.</summary>
    /// <returns>False when the lease is lost.</returns>
    public async Task<bool> RenewAsync(ExportPlan plan, ExportMeter meter, CancellationToken cancellationToken)
    {
        meter.Sample();
        return await catalog.ExecuteAsync(
            """
            UPDATE exports
               SET lease_until = now() + @Lease, records = @Records, bytes = @Bytes, files = @Files,
                   estimated_records = coalesce(@EstimatedRecords, estimated_records),
                   records_per_second = @RecordsPerSecond, bytes_per_second = @BytesPerSecond,
                   ranges_by = @RangesBy, ranges = @Ranges
             WHERE id = @Id AND state = 'running' AND lease_token = @Token
            """,
            new
            {
                Id = plan.ExportId.Value,
                Token = plan.LeaseToken,
                options.Lease,
                meter.Records,
                meter.Bytes,
                meter.Files,
                meter.EstimatedRecords,
                meter.RecordsPerSecond,
                meter.BytesPerSecond,
                RangesBy = meter.Ranges?.By,
                Ranges = meter.Ranges?.Count,
            },
            cancellationToken) == 1;
    }

    /// <summary>Returns exports whose worker has gone silent to pending, and marks their attempts for the sweep.</summary>
    /// <returns>Their ids.</returns>
    public Task<IReadOnlyList<Guid>> ReclaimAsync(CancellationToken cancellationToken) =>
        // A caller of whom nothing was leased for an hour is treated as a new one.
        catalog.ListAsync<Guid>(
            """
            WITH forgotten AS (
                DELETE FROM served_shares WHERE served_at < now() - interval '1 hour'
            ), lost AS (
                SELECT id, lease_token
                  FROM exports
                 WHERE state = 'running' AND lease_until < now()
                   FOR UPDATE SKIP LOCKED
            ), reclaimed AS (
                UPDATE exports e
                   SET state = 'pending', lease_token = NULL, lease_until = NULL, next_try_at = now()
                  FROM lost
                 WHERE e.id = lost.id
             RETURNING e.id
            ), abandoned AS (
                UPDATE attempts a
                   SET abandoned_at = now(), next_sweep_at = now()
                  FROM lost
                 WHERE a.lease_token = lost.lease_token
            )
            SELECT id FROM reclaimed
            """,
            null,
            cancellationToken);

    /// <summary>Gives the lease back: at once where the worker stops, with a delay where a try has failed.</summary>
    /// <param name="plan">The lease.</param>
    /// <param name="delay">How long no worker leases it.</param>
    /// <param name="failed">Counts as one of the tries.</param>
    /// <param name="cancellationToken">Clean-up runs on a token of its own.</param>
    public Task HandBackAsync(ExportPlan plan, TimeSpan delay, bool failed, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            """
            WITH returned AS (
                UPDATE exports
                   SET state = 'pending', lease_token = NULL, lease_until = NULL, next_try_at = now() + @delay,
                       tries = tries + @Failed
                 WHERE id = @Id AND state = 'running' AND lease_token = @Token
             RETURNING id
            )
            UPDATE attempts
               SET abandoned_at = now(), next_sweep_at = now()
             WHERE lease_token = @Token AND EXISTS (SELECT FROM returned)
            """,
            new { Id = plan.ExportId.Value, Token = plan.LeaseToken, delay, Failed = failed ? 1 : 0 },
            cancellationToken);

    /// <summary>How many tries have failed so far, and how many leases were taken.</summary>
    public async Task<(int Tries, int Leases)> TriesAsync(ExportPlan plan, CancellationToken cancellationToken) =>
        await catalog.QuerySingleAsync<(int, int)>(
            "SELECT tries, leases FROM exports WHERE id = @Id", new { Id = plan.ExportId.Value }, cancellationToken);

    // Unguessable, so that the keys of one attempt do not reveal those of another.
    private static string NewAttempt() =>
        Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));

    private sealed record LeasedRow(
        Guid Id, Guid BatchId, string Definition, string Criteria, string Format, string Compression,
        long MaxFileBytes, Guid? RetryOf, string Consumer, string? TraceParent, string Share, string? Framing);
}
