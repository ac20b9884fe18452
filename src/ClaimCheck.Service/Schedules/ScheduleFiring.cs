namespace ClaimCheck.Service.Schedules;

/// <summary>Turns fire times into runs, each once: next_fire_at moves on in the transaction that inserts the runs, under the
/// row's lock, and a later process finds another one. <see cref="RunStarter"/> requests their exports.</summary>
internal sealed partial class ScheduleFiring(NpgsqlDataSource catalog, SchedulesOptions options, ILogger<ScheduleFiring> logger)
{
    private const int AtOnce = 100;
    private static readonly TimeSpan AfterTrouble = TimeSpan.FromMinutes(1);

    /// <summary>Schedules that are due, the longest waiting first.</summary>
    public Task<IReadOnlyList<ScheduleRow>> DueAsync(CancellationToken cancellationToken) =>
        // The index is schedules_due.
        catalog.ListAsync<ScheduleRow>(
            $"SELECT {ScheduleRow.Columns} FROM schedules WHERE try_at <= now() ORDER BY try_at LIMIT {AtOnce}",
            null,
            cancellationToken);

    /// <summary>Records the runs of a schedule that is due.</summary>
    /// <returns>False where another process has done so, or the schedule was replaced.</returns>
    public async Task<bool> FireAsync(ScheduleRow due, CancellationToken cancellationToken)
    {
        try
        {
            return await NoteRunsAsync(due, cancellationToken);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            // A time zone that this machine does not know, for example: another process may know it.
            Log.Trouble(logger, Defect.Of(e), due.Name, AfterTrouble);
            await PostponeAsync(due, cancellationToken);
            return true;
        }
    }

    private async Task<bool> NoteRunsAsync(ScheduleRow due, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var isMine = await transaction.QuerySingleOrDefaultAsync<DateTimeOffset?>(
            """
            SELECT now()
              FROM schedules
             WHERE id = @Id AND version = @Version AND next_fire_at = @NextFireAt AND next_fire_at <= now()
               FOR UPDATE SKIP LOCKED
            """,
            new { due.Id, due.Version, due.NextFireAt },
            cancellationToken);
        if (isMine is not { } now)
            return false;

        var plan = FirePlan.Make(due, now, await ScheduleLoads.OfAsync(transaction, due.Id, cancellationToken), options);
        var runs = plan.Runs.Select(run => (Id: ScheduleRunId.New(), Run: run)).ToList();
        await transaction.ExecuteAsync(
            """
            INSERT INTO schedule_runs (id, schedule_id, fire_time, state, code, detail, missed, series)
            SELECT r.id, @Schedule, r.fire_time, CASE WHEN r.code IS NULL THEN 'queued' ELSE 'skipped' END, r.code,
                   r.detail, r.missed, @Series
              FROM unnest(@Ids, @FireTimes, @Codes, @Details, @Missed) AS r (id, fire_time, code, detail, missed)
            ON CONFLICT (schedule_id, fire_time) DO NOTHING
            """,
            new
            {
                Schedule = due.Id,
                due.Series,
                Ids = runs.Select(run => run.Id.Value).ToArray(),
                FireTimes = runs.Select(run => run.Run.FireTime.UtcDateTime).ToArray(),
                Codes = runs.Select(run => run.Run.SkipCode).ToArray(),
                Details = runs.Select(run => run.Run.SkipDetail).ToArray(),
                Missed = runs.Select(run => run.Run.Missed).ToArray(),
            },
            cancellationToken);
        await transaction.ExecuteAsync(
            "UPDATE schedules SET next_fire_at = @Next, try_at = @Next WHERE id = @Id",
            new { due.Id, plan.Next },
            cancellationToken);
        await RunHistory.PruneAsync(transaction, due.Id, options.History, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        foreach (var (id, run) in runs)
        {
            if (run.SkipCode is null)
                Log.Fired(logger, due.Name, run.FireTime, id);
            else
                Log.Skipped(logger, due.Name, run.FireTime, run.SkipCode, run.Missed);
        }

        return true;
    }

    private Task PostponeAsync(ScheduleRow due, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            "UPDATE schedules SET try_at = now() + @AfterTrouble WHERE id = @Id AND version = @Version AND "
            + "next_fire_at = @NextFireAt",
            new { due.Id, due.Version, due.NextFireAt, AfterTrouble },
            cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Schedule {Schedule} has fired for {FireTime:O}: run {RunId}.")]
        public static partial void Fired(ILogger logger, string schedule, DateTimeOffset fireTime, ScheduleRunId runId);

        [LoggerMessage(
            LogLevel.Information, "Schedule {Schedule} skips its run of {FireTime:O} ({Code}), and {Missed} before it.")]
        public static partial void Skipped(ILogger logger, string schedule, DateTimeOffset fireTime, string code, int missed);

        [LoggerMessage(LogLevel.Error, "Schedule {Schedule} can't be fired; it is tried again in {After}.")]
        public static partial void Trouble(ILogger logger, Exception exception, string schedule, TimeSpan after);
    }
}
