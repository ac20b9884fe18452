using NpgsqlTypes;

namespace ClaimCheck.Service.Sources;

/// <summary>A source's transaction as an export needs it: read-only, one snapshot, pinned settings, limits of its own; rows that
/// a policy hides are an error unless the dataset allows it. The settings are set, read back, and read again after the query has
/// run.</summary>
/// <param name="StatementTimeout">How long a statement may take.</param>
/// <param name="LockTimeout">How long it may wait for a lock.</param>
/// <param name="RowSecurity">Whether rows that a policy of the source hides from the role may be missing.</param>
internal sealed record SourceSettings(TimeSpan StatementTimeout, TimeSpan LockTimeout, bool RowSecurity)
{
    /// <summary>Distinguishes the service's own readers from sessions that may write.</summary>
    public const string ApplicationName = "claimcheck export";

    private static readonly string Read =
        $"SELECT {SessionPins.Read}, ARRAY[current_setting('row_security'), current_setting('transaction_isolation'), "
        + "current_setting('transaction_read_only')], pg_backend_pid(), pg_postmaster_start_time(), transaction_timestamp(), "
        + "(SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid())";

    /// <summary>Sets everything, in a transaction of isolation <c>REPEATABLE READ</c> that has just begun;
    /// takes its snapshot.</summary>
    /// <exception cref="SourceException">A setting does not hold: <c>source_settings_changed</c>.</exception>
    public async Task<SettingsHeld> ApplyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = connection.CreateBatch();
        // Each reads a table from its beginning, also where another reads it too. A session that waits for its upload is idle
        // only for a time; transaction_timeout exists from Postgres 17 on.
        foreach (var sql in (IEnumerable<string>)
        [
            "SET TRANSACTION READ ONLY",
            $"""
            SELECT {SessionPins.Set}, set_config('row_security', '{(RowSecurity ? "on" : "off")}', true),
                   set_config('application_name', '{ApplicationName}', true),
                   set_config('statement_timeout', '{(long)StatementTimeout.TotalMilliseconds}', true),
                   set_config('lock_timeout', '{(long)LockTimeout.TotalMilliseconds}', true),
                   set_config('idle_in_transaction_session_timeout', '0', true), set_config('synchronize_seqscans', 'off', true)
            """,
            "SELECT set_config(name, '0', true) FROM pg_catalog.pg_settings WHERE name = 'transaction_timeout' UNION ALL "
            + $"{SessionPins.NoticesTheEnd(isLocal: true)}",
            Read,
        ])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var held = await HeldAsync(reader, cancellationToken);
        var wrong = SessionPins.Fault(held.Texts) ?? Wrong(held.Transaction);
        return wrong is null ? held : throw Changed(wrong);
    }

    /// <summary>Checks that they still hold after the query has run: it may have called <c>set_config</c>.</summary>
    /// <exception cref="SourceException">One does not: <c>source_settings_changed</c>.</exception>
    public async Task CheckAsync(NpgsqlConnection connection, SettingsHeld held, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Read, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var now = await HeldAsync(reader, cancellationToken);
        if ((SessionPins.Change(held.Texts, now.Texts) ?? Wrong(now.Transaction)) is { } wrong)
            throw Changed(wrong);
    }

    private string? Wrong(string[] transaction) => transaction switch
    {
        [var rows, _, _] when rows != (RowSecurity ? "on" : "off") => "row_security",
        [_, not "repeatable read", _] => "transaction_isolation",
        [_, _, not "on"] => "transaction_read_only",
        _ => null,
    };

    private static async Task<SettingsHeld> HeldAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        return new(
            reader.GetFieldValue<string[]>(0),
            reader.GetFieldValue<string[]>(1),
            reader.GetFieldValue<DateTimeOffset>(3),
            new(reader.GetInt32(2), reader.IsDBNull(5) ? null : reader.GetFieldValue<DateTimeOffset>(5),
                reader.GetFieldValue<DateTimeOffset>(4)));
    }

    // Without the value: a query may have put anything there.
    private static SourceException Changed(string setting) => new(
        "source_settings_changed",
        $"The session's {setting} is not what the service has set: the query, or something between the service and the source, "
        + "changes it. The values would not be written as the manifest promises.",
        isTransient: false);
}

/// <summary>A source's settings as they were read back, and the identity of server and transaction.</summary>
internal sealed record SettingsHeld(string[] Texts, string[] Transaction, DateTimeOffset ServerStart, SourceBackend Backend);

/// <summary>One transaction of one session of one server. Behind a balancer or a pooler a pid alone identifies nothing. (The
/// driver's own requests to cancel carry the session's secret beside its pid: if they reach another server, they have no
/// effect.)</summary>
/// <param name="Pid">The server process.</param>
/// <param name="Started">When that process began; null where the role may not see it.</param>
/// <param name="TransactionStarted">When its transaction began.</param>
internal sealed record SourceBackend(int Pid, DateTimeOffset? Started, DateTimeOffset TransactionStarted)
{
    /// <summary>Cancels its statement. On another server, in another session or in another transaction this has no
    /// effect.</summary>
    /// <param name="connection">A connection to the same source, as the same user.</param>
    /// <returns>Whether it was found.</returns>
    public async Task<bool> CancelAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Where the server does not track activity, the transaction's time is unknown.
        await using var command = new NpgsqlCommand(
            """
            SELECT pg_cancel_backend(pid)
              FROM pg_catalog.pg_stat_activity
             WHERE pid = $1 AND backend_start = $2 AND usename = session_user AND (xact_start = $3 OR xact_start IS NULL)
            """,
            connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Pid });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = (object?)Started?.UtcDateTime ?? DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.TimestampTz,
        });
        command.Parameters.Add(
            new NpgsqlParameter { Value = TransactionStarted.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
