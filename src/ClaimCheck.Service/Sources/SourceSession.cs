namespace ClaimCheck.Service.Sources;

/// <summary>One connection in one read-only snapshot of a source.</summary>
internal sealed class SourceSession : IAsyncDisposable
{
    private const int MostServers = 5;

    // This session holds a connection while it waits for another one. A pooler that has lent out its last connection has none to
    // give until a session ends: this one, or one of another export, which may be waiting in the same way.
    private static readonly TimeSpan PatienceForAnother = TimeSpan.FromSeconds(5);

    private readonly Func<NpgsqlDataSource> source;
    private readonly SourceConnection way;
    private readonly NpgsqlConnection connection;
    private readonly SourceSettings settings;
    private readonly SettingsHeld held;
    private ServerIdentity? server;
    private string? snapshot;
    private bool isOnlyOne;

    private SourceSession(
        Func<NpgsqlDataSource> source, SourceConnection way, SourceSettings settings, SettingsHeld held, SourceHorizon horizon) =>
        (this.source, this.way, connection, this.settings, this.held, Horizon) =
            (source, way, way.Sql, settings, held, horizon);

    /// <summary>How far the snapshot reaches.</summary>
    public SourceHorizon Horizon { get; }

    /// <summary>Whether records bypass the driver, by a <see cref="CopyBypass"/>.</summary>
    public bool IsBypassing => way.Bypass is not null;

    /// <param name="source">The source's pool as it is now: its password may have been replaced while the session was
    /// open.</param>
    /// <param name="settings">The settings of the transaction.</param>
    public static Task<SourceSession> OpenAsync(
        Func<NpgsqlDataSource> source, SourceSettings settings, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => BeginAsync(source, settings, cancellationToken), cancellationToken);

    public Task<IReadOnlyList<ResultColumn>> DescribeAsync(string sql, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => ResultShape.DescribeAsync(connection, sql, cancellationToken), cancellationToken);

    /// <summary>How several sessions can read a query side by side: a table by its pages, another query by its key.</summary>
    public Task<RangeCut> CutAsync(CutRequest request, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(
            () => request.Table is { } table ? TableRanges.PlanAsync(connection, table, request, cancellationToken)
                : KeyRanges.PlanAsync(connection, request, cancellationToken),
            cancellationToken);

    /// <summary>Another session in the same snapshot, while this one is open.</summary>
    /// <param name="bypassing">Whether its records bypass the driver, by a <see cref="CopyBypass"/>.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>Null where the source has none to give: a balancer or a pooler leads to another server, or all connections are
    /// taken.</returns>
    public Task<SourceSession?> TwinAsync(bool bypassing, CancellationToken cancellationToken) =>
        SourceErrors.GuardAsync(() => JoinInTimeAsync(bypassing, cancellationToken), cancellationToken);

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
        CopyReader.OpenAsync(
            connection, way.Bypass, $"COPY ({sql}\n) TO STDOUT ({options})", CancelStatementAsync, cancellationToken);

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

    public ValueTask DisposeAsync() => way.DisposeAsync();

    private async Task CancelStatementAsync(CancellationToken cancellationToken)
    {
        await using var other = await source().OpenConnectionAsync(cancellationToken);
        await held.Backend.CancelAsync(other, cancellationToken);
    }

    private static async Task<SourceSession> BeginAsync(
        Func<NpgsqlDataSource> source, SourceSettings settings, CancellationToken cancellationToken)
    {
        var opened = await SourceConnection.OpenAsync(source(), cancellationToken);
        try
        {
            for (var tries = 1; ; tries++)
            {
                var horizon = await SourceHorizon.ReadAsync(opened.Sql, cancellationToken);
                await opened.BeginAsync(null, cancellationToken);
                var applied = await settings.ApplyAsync(opened.Sql, cancellationToken);
                if (applied.ServerStart == horizon.ServerStart)
                    return new SourceSession(source, opened, settings, applied, horizon);
                // A pooler in front of several servers: how far one of them is says nothing about another.
                await opened.RollBackAsync(cancellationToken);
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

    private async Task<SourceSession?> JoinInTimeAsync(bool bypassing, CancellationToken cancellationToken)
    {
        if (isOnlyOne)
            return null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(PatienceForAnother);
        try
        {
            return await JoinAsync(bypassing, patience.Token);
        }
        catch (Exception e) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested
            && (e is OperationCanceledException || SourceErrors.IsSourceError(e)))
        {
            isOnlyOne = true;
            return null;
        }
    }

    private async Task<SourceSession?> JoinAsync(bool bypassing, CancellationToken cancellationToken)
    {
        server ??= await ServerIdentity.ReadAsync(connection, cancellationToken);
        if (server.System is null)
            return null;
        snapshot ??= await ShareAsync(cancellationToken);
        var opened = bypassing ? await way.BypassingAsync(source(), cancellationToken)
            : await SourceConnection.OpenAsync(source(), cancellationToken);
        if (opened is null)
            return null;
        try
        {
            await opened.BeginAsync(snapshot, cancellationToken);
            var applied = await settings.ApplyAsync(opened.Sql, cancellationToken);
            if (await ServerIdentity.ReadAsync(opened.Sql, cancellationToken) == server)
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
}
