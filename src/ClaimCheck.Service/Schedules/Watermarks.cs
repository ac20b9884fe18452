namespace ClaimCheck.Service.Schedules;

/// <summary>Up to where a schedule's runs have read its source.</summary>
internal static class Watermarks
{
    /// <summary>Up to where the snapshot of the latest ready run reached: a transaction that was under way then may still write
    /// rows with the time at which it began. A run that failed or was cancelled has read nothing. The data of a revoked run was
    /// taken back from its consumers: until a later run has read again from where it began, the next one begins there.</summary>
    /// <returns>Null before the first.</returns>
    public static Task<DateTimeOffset?> OfAsync(
        Transaction transaction, Guid schedule, int series, CancellationToken cancellationToken) =>
        transaction.QuerySingleAsync<DateTimeOffset?>(
            """
            WITH runs AS (
                SELECT r.started_at, r.watermark, coalesce(e.read_until, e.snapshot_at) AS read_until, e.state, e.ended_at
                  FROM schedule_runs r
                  JOIN exports e ON e.id = r.export_id
                 WHERE r.schedule_id = @schedule AND r.series = @series AND r.state = 'started' AND e.ready_at IS NOT NULL
            ), live AS (
                SELECT * FROM runs WHERE state IN ('ready', 'expired')
            ), taken_back AS (
                SELECT t.watermark
                  FROM runs t
                 WHERE t.state = @Revoked
                   AND NOT EXISTS (SELECT FROM live l
                                    WHERE l.started_at > t.ended_at AND (l.watermark IS NULL OR l.watermark <= t.watermark))
            )
            SELECT CASE
                       WHEN EXISTS (SELECT FROM taken_back WHERE watermark IS NULL) THEN NULL
                       ELSE least((SELECT max(read_until) FROM live), (SELECT min(watermark) FROM taken_back))
                   END
            """,
            new { schedule, series, ExportState.Revoked },
            cancellationToken);
}
