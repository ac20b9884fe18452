namespace ClaimCheck.Service.Schedules;

/// <summary>The state of a schedule, read under its row's lock.</summary>
internal static class ScheduleLoads
{
    public static Task<ScheduleLoad> OfAsync(Transaction transaction, Guid schedule, CancellationToken cancellationToken) =>
        // One export at a time: only the export of the latest started run can be unfinished. The indexes are
        // schedule_runs_started and _queued.
        transaction.QuerySingleAsync<ScheduleLoad>(
            """
            SELECT coalesce(state IN ('pending', 'running'), false) AS is_running, queued
              FROM (SELECT (SELECT count(*)::int FROM schedule_runs WHERE schedule_id = @schedule AND state = 'queued') AS queued,
                           (SELECT e.state
                              FROM schedule_runs r
                              JOIN exports e ON e.id = r.export_id
                             WHERE r.schedule_id = @schedule AND r.state = 'started'
                             ORDER BY r.started_at DESC
                             LIMIT 1) AS state) load
            """,
            new { schedule },
            cancellationToken);
}

/// <summary>The runs of a schedule, as the API shows them.</summary>
internal sealed class RunHistory(NpgsqlDataSource catalog)
{
    /// <summary>Latest fire time first; no two runs of a schedule share one.</summary>
    public Task<IReadOnlyList<RunRow>> ListAsync(
        Guid schedule, DateTimeOffset? before, int limit, CancellationToken cancellationToken) =>
        catalog.ListAsync<RunRow>(
            $"""
            SELECT {RunRow.Columns}
              FROM schedule_runs r
              LEFT JOIN exports e ON e.id = r.export_id
             WHERE r.schedule_id = @schedule AND (@before::timestamptz IS NULL OR r.fire_time < @before)
             ORDER BY r.fire_time DESC
             LIMIT @limit
            """,
            new { schedule, before, limit },
            cancellationToken);

    public Task<RunRow?> FindAsync(Guid schedule, ScheduleRunId run, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<RunRow>(
            $"""
            SELECT {RunRow.Columns}
              FROM schedule_runs r
              LEFT JOIN exports e ON e.id = r.export_id
             WHERE r.schedule_id = @schedule AND r.id = @Run
            """,
            new { schedule, Run = run.Value },
            cancellationToken);

    /// <summary>Deletes the oldest runs; never a waiting one, and never the one whose watermark the next run continues
    /// from.</summary>
    public static Task PruneAsync(Transaction transaction, Guid schedule, int most, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            """
            WITH ended AS (
                SELECT id, export_id, row_number() OVER (PARTITION BY state = 'started' ORDER BY fire_time DESC) AS place
                  FROM schedule_runs
                 WHERE schedule_id = @schedule AND state <> 'queued'
            ), latest AS (
                SELECT r.id
                  FROM schedule_runs r
                  JOIN exports e ON e.id = r.export_id
                 WHERE r.schedule_id = @schedule AND e.state IN ('ready', 'expired') AND e.snapshot_at IS NOT NULL
                 ORDER BY coalesce(e.read_until, e.snapshot_at) DESC
                 LIMIT 1
            )
            DELETE FROM schedule_runs r
             USING ended
             WHERE r.id = ended.id AND ended.place > @most AND r.id NOT IN (SELECT id FROM latest)
            """,
            new { schedule, most },
            cancellationToken);
}
