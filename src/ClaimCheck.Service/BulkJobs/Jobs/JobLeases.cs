namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>How workers divide the jobs among themselves. As with exports, a lease has a token and a time limit by the database's
/// clock; a worker that lost its lease matches no row. Of one operation only as many jobs run at a time as it allows.</summary>
internal sealed class JobLeases(NpgsqlDataSource catalog, BulkJobsOptions options)
{
    // The most callers and operations that one look considers; the next look continues after the one served last.
    private const int MostLanes = 100;
    private volatile string lastLane = "";

    /// <summary>Leases the next job: of the caller with the fewest running jobs or, among equals, of the one served longest ago;
    /// of its jobs the one that has waited longest and whose operation may run once more.</summary>
    /// <returns>Null when no waiting job may run.</returns>
    public async Task<JobLease?> TakeAsync(CancellationToken cancellationToken)
    {
        var token = Guid.NewGuid();
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var isWaiting = await transaction.ExecuteScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM bulk_jobs WHERE status = 'pending' AND next_try_at <= now())", null, cancellationToken);
        if (!isWaiting)
            return null;
        // Counting the running jobs of an operation and leasing another one is one step.
        await transaction.ExecuteAsync("SELECT pg_advisory_xact_lock(@Jobs)", new { AdvisoryLocks.Jobs }, cancellationToken);
        // The index is bulk_jobs_to_share, through which all jobs of one caller and operation are skipped together: waiting jobs
        // cost nothing. Jobs of a worker that went silent are not considered: they become pending again first.
        var taken = await transaction.QuerySingleOrDefaultAsync<JobLease>(
            """
            WITH RECURSIVE lanes (lane, n) AS (
                SELECT lane, 0 FROM (VALUES (''), (@After)) AS begins (lane)
                UNION ALL
                SELECT (SELECT claimcheck_share(tenant, caller, operation) || '/' || operation
                          FROM bulk_jobs
                         WHERE status = 'pending' AND claimcheck_share(tenant, caller, operation) || '/' || operation > lanes.lane
                         ORDER BY claimcheck_share(tenant, caller, operation) || '/' || operation
                         LIMIT 1), n + 1
                  FROM lanes
                 WHERE lane IS NOT NULL AND n < @MostLanes
            ), running AS (
                SELECT operation, claimcheck_share(tenant, caller, operation) AS share FROM bulk_jobs WHERE status = 'running'
            ), next AS (
                SELECT waiting.id, turn.share, turn.lane
                  FROM (SELECT l.lane, oldest.share
                          FROM (SELECT DISTINCT lane FROM lanes) l
                         CROSS JOIN LATERAL (
                               SELECT claimcheck_share(tenant, caller, operation) AS share, operation, concurrency, next_try_at
                                 FROM bulk_jobs
                                WHERE status = 'pending'
                                  AND claimcheck_share(tenant, caller, operation) || '/' || operation = l.lane
                                ORDER BY next_try_at
                                LIMIT 1) oldest
                          LEFT JOIN served_shares t ON t.queue = 'jobs' AND t.share = oldest.share
                         WHERE oldest.next_try_at <= now()
                           AND (SELECT count(*) FROM running r WHERE r.operation = oldest.operation) < oldest.concurrency
                         ORDER BY (SELECT count(*) FROM running r WHERE r.share = oldest.share), t.served_at NULLS FIRST,
                                  oldest.next_try_at) turn
                 CROSS JOIN LATERAL (
                       SELECT id
                         FROM bulk_jobs
                        WHERE status = 'pending' AND claimcheck_share(tenant, caller, operation) || '/' || operation = turn.lane
                          AND next_try_at <= now()
                        ORDER BY next_try_at
                        LIMIT 1
                          FOR UPDATE SKIP LOCKED) waiting
                 LIMIT 1
            ), served AS (
                INSERT INTO served_shares (queue, share, served_at)
                SELECT 'jobs', share, clock_timestamp() FROM next
                ON CONFLICT (queue, share) DO UPDATE SET served_at = excluded.served_at
            )
            UPDATE bulk_jobs b
               SET status = 'running', lease_token = @token, lease_until = now() + @Lease, leases = leases + 1,
                   started_at = coalesce(started_at, now())
              FROM next
             WHERE b.id = next.id
            RETURNING b.id, b.lease_token AS token, b.definition::text AS definition, b.source, b.body AS inline, b.body_key,
                      b.body_bytes, b.body_index, b.claim_url, b.body_of, b.retry_of, b.retry_class, b.retry_from, b.total_items,
                      b.next_chunk, b.processed, b.leases, b.tries, b.cancel_requested_at IS NOT NULL AS is_cancelled,
                      b.traceparent AS trace_parent, next.lane
            """,
            new { token, options.Lease, After = lastLane, MostLanes },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        lastLane = taken?.Lane ?? "";
        return taken;
    }

    /// <summary>Renews the lease.</summary>
    /// <returns>Null when the lease is lost; else whether the job is to be cancelled.</returns>
    public Task<bool?> RenewAsync(JobLease lease, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<bool?>(
            """
            UPDATE bulk_jobs SET lease_until = now() + @Lease
             WHERE id = @Id AND status = 'running' AND lease_token = @Token
            RETURNING cancel_requested_at IS NOT NULL
            """,
            new { Id = lease.JobId.Value, lease.Token, options.Lease },
            cancellationToken);

    /// <summary>Returns jobs whose worker has gone silent to pending.</summary>
    public Task<IReadOnlyList<Guid>> ReclaimAsync(CancellationToken cancellationToken) =>
        catalog.ListAsync<Guid>(
            """
            UPDATE bulk_jobs b
               SET status = 'pending', lease_token = NULL, lease_until = NULL, next_try_at = now()
              FROM (SELECT id FROM bulk_jobs WHERE status = 'running' AND lease_until < now() FOR UPDATE SKIP LOCKED) lost
             WHERE b.id = lost.id
            RETURNING b.id
            """,
            null,
            cancellationToken);

    /// <summary>Gives the lease back: at once where the worker stops, with a delay where a try has failed.</summary>
    public Task HandBackAsync(JobLease lease, TimeSpan delay, bool failed, CancellationToken cancellationToken) =>
        // A worker that was told to stop does not count as lost. The first lease stays counted: the job was begun.
        catalog.ExecuteAsync(
            """
            UPDATE bulk_jobs
               SET status = 'pending', lease_token = NULL, lease_until = NULL, next_try_at = now() + @delay,
                   tries = tries + @Failed, leases = greatest(leases - 1, 1)
             WHERE id = @Id AND status = 'running' AND lease_token = @Token
            """,
            new { Id = lease.JobId.Value, lease.Token, delay, Failed = failed ? 1 : 0 },
            cancellationToken);
}
