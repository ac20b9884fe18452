namespace ClaimCheck.Service.Schedules;

/// <summary>Runs that a caller asks for, even while the schedule is paused or has ended. The overlap policy applies to them
/// too.</summary>
internal sealed class ManualRuns(NpgsqlDataSource catalog, RunStarter starter, RunHistory history, SchedulesOptions options)
{
    /// <returns>The run, started where it is due; null where the policy does not allow one now.</returns>
    public async Task<RunRow?> RunAsync(ScheduleRow schedule, string? key, CancellationToken cancellationToken)
    {
        if (await NoteAsync(schedule, key, cancellationToken) is not { } id)
            return null;
        await starter.StartNextAsync(schedule.Id, cancellationToken);
        return await history.FindAsync(schedule.Id, id, cancellationToken);
    }

    private async Task<ScheduleRunId?> NoteAsync(ScheduleRow schedule, string? key, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        await transaction.ExecuteAsync("SELECT FROM schedules WHERE id = @Id FOR UPDATE", new { schedule.Id }, cancellationToken);
        if (key is not null && await transaction.ExecuteScalarAsync<Guid?>(
                "SELECT id FROM schedule_runs WHERE schedule_id = @Id AND key = @key",
                new { schedule.Id, key },
                cancellationToken) is { } known)
        {
            return new(known);
        }

        var load = await ScheduleLoads.OfAsync(transaction, schedule.Id, cancellationToken);
        if (load.IsBusy && (schedule.Overlap == Overlap.Skip || load.Queued >= options.MostQueued))
            return null;
        var id = ScheduleRunId.New();
        await transaction.ExecuteAsync(
            """
            INSERT INTO schedule_runs (id, schedule_id, fire_time, manual, key, state, series)
            SELECT @RunId, id, clock_timestamp(), true, @key, 'queued', series FROM schedules WHERE id = @Id
            """,
            new { RunId = id.Value, schedule.Id, key },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return id;
    }
}
