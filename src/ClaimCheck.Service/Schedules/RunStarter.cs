namespace ClaimCheck.Service.Schedules;

/// <summary>Requests the exports of runs, one at a time for each schedule, oldest first. A run and its export begin in one
/// transaction, so that each run has exactly one export, whatever crashes.</summary>
internal sealed partial class RunStarter(
    NpgsqlDataSource catalog, DatasetCatalog datasets, SchedulesOptions options, ILogger<RunStarter> logger)
{
    private static readonly TimeSpan AskSourceAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterTrouble = TimeSpan.FromMinutes(1);

    /// <summary>Schedules with a run that is due.</summary>
    public Task<IReadOnlyList<Guid>> WaitingAsync(CancellationToken cancellationToken) =>
        catalog.ListAsync<Guid>(
            """
            SELECT q.schedule_id
              FROM (SELECT DISTINCT ON (schedule_id) schedule_id, fire_time, try_at
                      FROM schedule_runs
                     WHERE state = 'queued'
                     ORDER BY schedule_id, fire_time) q
             WHERE q.try_at <= now()
               AND coalesce((SELECT e.state NOT IN ('pending', 'running')
                               FROM schedule_runs r
                               JOIN exports e ON e.id = r.export_id
                              WHERE r.schedule_id = q.schedule_id AND r.state = 'started'
                              ORDER BY r.started_at DESC
                              LIMIT 1), true)
             ORDER BY q.fire_time
             LIMIT 100
            """,
            null,
            cancellationToken);

    /// <summary>Starts the oldest waiting run of a schedule, if it is due.</summary>
    /// <returns>False where nothing was changed.</returns>
    public async Task<bool> StartNextAsync(Guid schedule, CancellationToken cancellationToken)
    {
        try
        {
            return await TryStartAsync(schedule, cancellationToken);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            // A time zone that this machine does not know, for example: another process may know it.
            Log.Trouble(logger, Defect.Of(e), schedule, AfterTrouble);
            await PostponeAsync(schedule, cancellationToken);
            return true;
        }
    }

    private async Task<bool> TryStartAsync(Guid schedule, CancellationToken cancellationToken)
    {
        // The source is asked before the lock is taken, since that may take long.
        var wanted = await DatasetOfAsync(schedule, cancellationToken);
        var defined = datasets.Current;
        var dataset = wanted is null ? null : defined.Find(wanted);
        var (frozen, unavailable) = dataset is null ? (null, null) : await dataset.FreezeAsync(cancellationToken);

        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var row = await transaction.QuerySingleOrDefaultAsync<ScheduleRow>(
            $"SELECT {ScheduleRow.Columns} FROM schedules WHERE id = @schedule FOR UPDATE", new { schedule }, cancellationToken);
        if (row is null || NameOf(row.ExportJson) != wanted
            || await NextAsync(transaction, schedule, cancellationToken) is not { } run)
            return false;

        if (dataset is null)
            await EndAsync(
                transaction, row, run, RunCodes.DatasetUnknown, $"The dataset {wanted} does not exist.", cancellationToken);
        else if (frozen is null && run.AwayFor < options.SourcePatience)
            await PostponeAsync(transaction, run, cancellationToken);
        else if (frozen is null)
            await EndAsync(transaction, row, run, unavailable!.Code,
                $"It was unavailable for {options.SourcePatience}. {unavailable.Detail}", cancellationToken);
        else
            await AskAsync(transaction, row, run, frozen, defined, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private async Task AskAsync(
        Transaction transaction,
        ScheduleRow schedule,
        WaitingRun run,
        FrozenDataset frozen,
        DefinitionSet<DefinedDataset> defined,
        CancellationToken cancellationToken)
    {
        var watermark = await Watermarks.OfAsync(transaction, schedule.Id, schedule.Series, cancellationToken);
        var resolved = ScheduledCriteria.Resolve(schedule.ExportJson, defined, new(run.FireTime, schedule.Zone, watermark));
        var (request, errors) = ExportRequestReader.Read(resolved.Body, defined);
        if (request is null || resolved.Errors.Count > 0)
        {
            // It was valid when the schedule was put; the dataset has changed since.
            var fields = resolved.Errors.Keys.Concat(errors.Keys).Distinct(StringComparer.Ordinal);
            await EndAsync(transaction, schedule, run, RunCodes.ExportInvalid,
                $"The export does not fit the dataset as it is now: {string.Join(", ", fields)}.", cancellationToken);
            return;
        }

        var id = ExportId.New();
        await ExportStore.InsertAsync(transaction, id, schedule.Owner, new(frozen, request.Terms), cancellationToken);
        await transaction.ExecuteAsync(
            """
            UPDATE schedule_runs
               SET state = 'started', started_at = clock_timestamp(), export_id = @ExportId, criteria = @Criteria::json,
                   series = @Series, watermark = @Watermark
             WHERE id = @Id AND state = 'queued'
            """,
            new
            {
                run.Id,
                ExportId = id.Value,
                Criteria = request.Terms.Criteria.GetRawText(),
                schedule.Series,
                Watermark = resolved.UsesWatermark ? watermark : null,
            },
            cancellationToken);
        Log.Started(logger, new(run.Id), schedule.Name, id);
    }

    private async Task<string?> DatasetOfAsync(Guid schedule, CancellationToken cancellationToken)
    {
        var export = await catalog.ExecuteScalarAsync<string?>(
            "SELECT export::text FROM schedules WHERE id = @schedule", new { schedule }, cancellationToken);
        return export is null ? null : NameOf(JsonElement.Parse(export));
    }

    private static string? NameOf(JsonElement export) => export.GetProperty("dataset").GetString();

    private static async Task<WaitingRun?> NextAsync(Transaction transaction, Guid schedule, CancellationToken cancellationToken)
    {
        var next = await transaction.QuerySingleOrDefaultAsync<WaitingRun>(
            """
            SELECT id, fire_time, try_at <= now() AS is_due, now() - coalesce(away_since, now()) AS away_for
              FROM schedule_runs
             WHERE schedule_id = @schedule AND state = 'queued'
             ORDER BY fire_time
             LIMIT 1
            """,
            new { schedule },
            cancellationToken);
        if (next is not { IsDue: true })
            return null;
        var load = await ScheduleLoads.OfAsync(transaction, schedule, cancellationToken);
        return load.IsRunning ? null : next;
    }

    private Task PostponeAsync(Guid schedule, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            "UPDATE schedule_runs SET try_at = now() + @AfterTrouble WHERE schedule_id = @schedule AND state = "
            + "'queued' AND try_at <= now()",
            new { schedule, AfterTrouble },
            cancellationToken);

    private static Task PostponeAsync(Transaction transaction, WaitingRun run, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            "UPDATE schedule_runs SET away_since = coalesce(away_since, now()), try_at = now() + @AskSourceAgain WHERE id = "
            + "@Id AND state = 'queued'",
            new { run.Id, AskSourceAgain },
            cancellationToken);

    private async Task EndAsync(
        Transaction transaction, ScheduleRow schedule, WaitingRun run, string code, string detail,
        CancellationToken cancellationToken)
    {
        await transaction.ExecuteAsync(
            "UPDATE schedule_runs SET state = 'failed', code = @code, detail = @detail WHERE id = @Id AND state = 'queued'",
            new { run.Id, code, detail = BoundedText.Cut(detail, BoundedText.Detail) },
            cancellationToken);
        Log.Failed(logger, new(run.Id), schedule.Name, code, detail);
    }

    private sealed record WaitingRun(Guid Id, DateTimeOffset FireTime, bool IsDue, TimeSpan AwayFor);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Run {RunId} of schedule {Schedule} has begun: export {ExportId}.")]
        public static partial void Started(ILogger logger, ScheduleRunId runId, string schedule, ExportId exportId);

        [LoggerMessage(LogLevel.Error, "The next run of schedule {Schedule} can't be started; it is tried again in {After}.")]
        public static partial void Trouble(ILogger logger, Exception exception, Guid schedule, TimeSpan after);

        [LoggerMessage(LogLevel.Warning, "Run {RunId} of schedule {Schedule} has failed: {Code}. {Detail}")]
        public static partial void Failed(ILogger logger, ScheduleRunId runId, string schedule, string code, string detail);
    }
}
