namespace ClaimCheck.Service.Sources;

/// <summary>How far a snapshot reaches that is taken after this was read. Read before it: what is replayed or ends in between is
/// in the snapshot, but not claimed to be; read after it, it would be claimed and might be missing.</summary>
/// <param name="SnapshotAt">Everything committed before is in the snapshot. A primary's clock; on a standby the commit that was
/// replayed last, since its own clock does not tell what has arrived.</param>
/// <param name="ReadUntil">No row with an earlier <c>now()</c> can still appear, as far as the source can tell: not later than
/// the beginning of any transaction that was under way.</param>
/// <param name="IsBlind">There are transactions whose beginning the role may not see.</param>
/// <param name="ServerStart">Distinguishes the server from others behind the same address.</param>
internal sealed record SourceHorizon(
    DateTimeOffset SnapshotAt, DateTimeOffset ReadUntil, bool IsBlind, DateTimeOffset ServerStart)
{
    // A prepared transaction's beginning is not recorded; the preparation follows a moment after it. Readers of the service write
    // nothing.
    private const string Sql = $"""
        SELECT s.is_standby, statement_timestamp(), CASE WHEN s.is_standby THEN pg_last_xact_replay_timestamp() END,
               pg_postmaster_start_time(),
               least(a.oldest, (SELECT min(prepared) FROM pg_catalog.pg_prepared_xacts WHERE database = current_database())),
               a.hidden > 0
          FROM (SELECT pg_is_in_recovery() AS is_standby OFFSET 0) s,
               (SELECT min(xact_start) FILTER (WHERE backend_type NOT IN ('autovacuum worker', 'walsender')) AS oldest,
                       count(*) FILTER (WHERE xact_start IS NULL
                                          AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)) AS hidden
                  FROM pg_catalog.pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
                   AND application_name <> '{SourceSettings.ApplicationName}') a
        """;

    /// <param name="connection">A connection outside a transaction.</param>
    /// <exception cref="SourceException">A standby that can't tell how far it is: <c>source_unavailable</c>.</exception>
    public static async Task<SourceHorizon> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (isStandby, clock, start) =
            (reader.GetBoolean(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetFieldValue<DateTimeOffset>(3));
        if (!isStandby)
        {
            var oldest = await reader.IsDBNullAsync(4, cancellationToken) ? clock : reader.GetFieldValue<DateTimeOffset>(4);
            return new(clock, oldest < clock ? oldest : clock, reader.GetBoolean(5), start);
        }

        DateTimeOffset? replayed =
            await reader.IsDBNullAsync(2, cancellationToken) ? null : reader.GetFieldValue<DateTimeOffset>(2);
        await reader.DisposeAsync();
        var reached = replayed ?? await CheckpointAsync(connection, cancellationToken);
        return new(reached, reached, IsBlind: false, start);
    }

    // No commit was replayed since the standby's start: it has at least the state that it started from.
    private static async Task<DateTimeOffset> CheckpointAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new NpgsqlCommand("SELECT checkpoint_time FROM pg_control_checkpoint()", connection);
            return await command.ExecuteScalarAsync(cancellationToken) is DateTime time ? new(time) : throw Unknown();
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InsufficientPrivilege
            or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.FeatureNotSupported)
        {
            throw Unknown();
        }
    }

    private static SourceException Unknown() => new(
        "source_unavailable",
        "The source is a standby that does not say how far it is: it has replayed no commit since its start.",
        isTransient: true);
}
