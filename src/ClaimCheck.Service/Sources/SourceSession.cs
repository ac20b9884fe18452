using System.Data;

namespace ClaimCheck.Service.Sources;

/// <summary>One connection in one read-only snapshot of a source.</summary>
internal sealed class SourceSession : IAsyncDisposable
{
    private const int MostServers = 5;

    private readonly Func<NpgsqlDataSource> source;
    private readonly NpgsqlConnection connection;
    private readonly SourceSettings settings;
    private readonly SettingsHeld held;
    private string? snapshot;

    private SourceSession(
        Func<NpgsqlDataSource> source, NpgsqlConnection connection, SourceSettings settings, SettingsHeld held,
        SourceHorizon horizon) =>
        (this.source, this.connection, this.settings, this.held, Horizon) = (source, connection, settings, held, horizon);

    /// <summary>How far the snapshot reaches.</summary>
    public SourceHorizon Horizon { get; }

    /// <param name="source">The source's pool as it is now: its password may have been replaced while the session was
    /// open.</param>
    /// <param name="settings">The settings of the transaction.</param>
    public static Task<SourceSession> OpenAsync(
        Func<NpgsqlDataSource> source, SourceSettings settings, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => BeginAsync(source, settings, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<ResultColumn>> DescribeAsync(string sql, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => ResultShape.DescribeAsync(connection, sql, cancellationToken), cancellationToken);

    /// <summary>The queries of ranges of a table that several sessions can read side by side; empty where
    /// there are none.</summary>
    public Task<IReadOnlyList<string>> CutAsync(
        TableQuery table, IReadOnlyList<ResultColumn> columns, long rangeBytes, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(
            () => TableRanges.PlanAsync(connection, table, columns, rangeBytes, cancellationToken), cancellationToken);

    /// <summary>Another session in the same snapshot, while this one is open.</summary>
    /// <returns>Null where the source has none to give: a balancer or a pooler leads to another server.</returns>
    public Task<SourceSession?> TwinAsync(CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => JoinAsync(cancellationToken), cancellationToken);

    /// <summary>The planner's estimate of the number of rows, or null where its plan can't be read.</summary>
    public Task<long?> EstimateAsync(string sql, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(
            async () => (long?)(await QueryPlan.ReadAsync(connection, "COSTS", sql, cancellationToken))
                ?.GetProperty("Plan Rows").GetDouble(),
            cancellationToken);

    /// <summary>Those of the keys that are the text of a value in the source: <c>7</c> is the text of a bigint, <c>07</c> and
    /// <c>x</c> are not.</summary>
    public Task<IReadOnlyList<string>> CanonicalAsync(
        IReadOnlyList<string> keys, string type, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => SourceKeys.CanonicalAsync(connection, keys, type, cancellationToken), cancellationToken);

    /// <summary>Whether the source guarantees that no two records have one key.</summary>
    public Task<bool> VouchesForAsync(ResultColumn key, string sql, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => UniqueKeyCheck.VouchesAsync(connection, sql, key, cancellationToken), cancellationToken);

    /// <summary>Whether records that are sorted by their key have equal keys side by side.</summary>
    public Task<bool> AreNeighboursAsync(ResultColumn key, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => UniqueKeyCheck.AreNeighboursAsync(connection, key, cancellationToken), cancellationToken);

    /// <summary>Runs a query of one row of sizes.</summary>
    /// <returns>Null where a value of it is too large for the source itself; the session can't be used afterwards.</returns>
    public Task<long[]?> MeasureAsync(string sql, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(
            async () =>
            {
                try
                {
                    await using var batch = connection.CreateBatch();
                    batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
                    await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
                    await reader.ReadAsync(cancellationToken);
                    return Enumerable.Range(0, reader.FieldCount)
                        .Select(i => reader.IsDBNull(i) ? 0 : reader.GetInt64(i)).ToArray();
                }
                catch (PostgresException e) when (SourceErrors.IsTooLarge(e))
                {
                    return null;
                }
            },
            cancellationToken);

    public Task<CopyReader> CopyAsync(string sql, string options, CancellationToken cancellationToken) =>
        // The line break ends a comment that the query may end with.
        CopyReader.OpenAsync(connection, $"COPY ({sql}\n) TO STDOUT ({options})", CancelStatementAsync, cancellationToken);

    /// <summary>Checks that the settings of the read were the expected ones.</summary>
    /// <exception cref="SourceException">The query has changed a setting that its values' text depends on.</exception>
    public Task CheckAsync(CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(
            async () =>
            {
                await settings.CheckAsync(connection, held, cancellationToken);
                return true;
            },
            cancellationToken);

    // It was only read: closing rolls the transaction back.
    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private async Task CancelStatementAsync(CancellationToken cancellationToken)
    {
        await using var other = await source().OpenConnectionAsync(cancellationToken);
        await held.Backend.CancelAsync(other, cancellationToken);
    }

    private static async Task<SourceSession> BeginAsync(
        Func<NpgsqlDataSource> source, SourceSettings settings, CancellationToken cancellationToken)
    {
        var opened = await NewConnectionAsync(source(), cancellationToken);
        try
        {
            await opened.OpenAsync(cancellationToken);
            for (var tries = 1; ; tries++)
            {
                var horizon = await SourceHorizon.ReadAsync(opened, cancellationToken);
                var transaction = await opened.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
                var applied = await settings.ApplyAsync(opened, cancellationToken);
                if (applied.ServerStart == horizon.ServerStart)
                    return new SourceSession(source, opened, settings, applied, horizon);
                // A pooler in front of several servers: how far one of them is says nothing about another.
                await transaction.DisposeAsync();
                if (tries == MostServers)
                    throw new SourceException("source_unavailable",
                        "Two statements of one session were answered by different servers, repeatedly.", isTransient: true);
            }
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    private async Task<SourceSession?> JoinAsync(CancellationToken cancellationToken)
    {
        snapshot ??= await ShareAsync(cancellationToken);
        var opened = await NewConnectionAsync(source(), cancellationToken);
        try
        {
            await opened.OpenAsync(cancellationToken);
            await opened.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            await using (var join = new NpgsqlCommand($"SET TRANSACTION SNAPSHOT '{snapshot}'", opened))
                await join.ExecuteNonQueryAsync(cancellationToken);
            var applied = await settings.ApplyAsync(opened, cancellationToken);
            if (applied.ServerStart == held.ServerStart)
                return new SourceSession(source, opened, settings, applied, Horizon);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidParameterValue
            or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.TooManyConnections)
        {
            // No such snapshot there, or no room for another session.
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }

        await opened.DisposeAsync();
        return null;
    }

    private async Task<string> ShareAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_export_snapshot()", connection);
        return (string)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    // A connection of the export's own. Npgsql's command timeout would end a query that sorts for longer before its first row:
    // the statement timeout limits it instead. Keep-alive probes find a source that vanishes.
    private static async Task<NpgsqlConnection> NewConnectionAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var pooled = source.CreateConnection();
        var way = new NpgsqlConnectionStringBuilder(source.ConnectionString)
        {
            Pooling = false,
            CommandTimeout = 0,
            TcpKeepAlive = true,
            // COPY needs none of the source's own types, and with them Npgsql refuses a result with an array of a domain over an
            // array.
#pragma warning disable CS0618 // the option belongs to builders of data sources now, but this is a clone of another connection
            ServerCompatibilityMode = ServerCompatibilityMode.NoTypeLoading,
#pragma warning restore CS0618
            ReadBufferSize = 128 << 10,
        };
        return await pooled.CloneWithAsync(way.ConnectionString, cancellationToken);
    }
}
