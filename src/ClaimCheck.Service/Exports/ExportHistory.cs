namespace ClaimCheck.Service.Exports;

/// <summary>What the last exports of a dataset turned out to be, all together.</summary>
/// <param name="Records">Their records.</param>
/// <param name="Bytes">Their stored bytes.</param>
/// <param name="Seconds">How long a worker took for them.</param>
/// <param name="Correction">How many records there were for each one that the planner expected; null where it is not known.
/// </param>
/// <param name="Largest">The records of the largest one.</param>
internal sealed record PastExports(long Records, long Bytes, double Seconds, double? Correction, long Largest);

/// <summary>What is known of a dataset by its last exports.</summary>
internal sealed class ExportHistory(NpgsqlDataSource catalog)
{
    private const int MostExports = 10;

    // However many others lie between them, a look costs the same.
    private const int MostRows = 200;

    /// <summary>The last exports of the tenant that a worker read in one go, in this format.</summary>
    /// <returns>Null where none had a record.</returns>
    public async Task<PastExports?> FindAsync(
        Caller caller, FrozenDataset dataset, ExportTerms terms, CancellationToken cancellationToken) =>
        // The index is exports_by_dataset. What was uploaded has no read_until; a retry is of another kind; what took several
        // leases also waited between them.
        await catalog.QuerySingleAsync<PastExports>(
            """
            WITH latest AS (
                SELECT id, schema_version, format, compression, retry_of, read_until, leases, estimated_records, records, bytes,
                       started_at, ready_at
                  FROM exports
                 WHERE tenant = @Tenant AND dataset = @Name
                 ORDER BY id DESC NULLS LAST
                 LIMIT @MostRows
            ), alike AS (
                SELECT records, bytes, extract(epoch FROM ready_at - started_at)::float8 AS seconds,
                       records / nullif(estimated_records, 0)::float8 AS correction
                  FROM latest
                 WHERE schema_version = @SchemaVersion AND format = @Format AND compression = @Compression
                   AND ready_at IS NOT NULL AND retry_of IS NULL AND read_until IS NOT NULL AND leases = 1
                 ORDER BY id DESC NULLS LAST
                 LIMIT @MostExports
            )
            -- What was small, or empty, says nothing of how far the planner is off where there is much.
            SELECT coalesce(sum(records), 0)::bigint AS records, coalesce(sum(bytes), 0)::bigint AS bytes,
                   coalesce(sum(seconds), 0)::float8 AS seconds,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY correction) FILTER (WHERE records >= largest / 10.0) AS correction,
                   coalesce(max(largest), 0) AS largest
              FROM (SELECT *, max(records) OVER () AS largest FROM alike) alike
            """,
            new
            {
                caller.Tenant,
                dataset.Name,
                dataset.SchemaVersion,
                terms.Format,
                terms.Compression,
                MostRows,
                MostExports,
            },
            cancellationToken) is { Records: > 0 } past
            ? past
            : null;
}
