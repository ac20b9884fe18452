namespace ClaimCheck.Service.Schedules;

/// <summary>The outcome of a PUT.</summary>
internal abstract record Put
{
    internal sealed record Stored(ScheduleRow Row, bool IsNew) : Put;

    internal sealed record Invalid(IReadOnlyDictionary<string, string[]> Errors) : Put;

    internal sealed record PreconditionFailed : Put;

    internal sealed record Unavailable(Unavailability Why) : Put;

    internal sealed record TooMany : Put;
}

/// <summary>The schedules in the catalog, as the API sees them.</summary>
internal sealed class ScheduleStore(NpgsqlDataSource catalog, DatasetCatalog datasets)
{
    /// <summary>How many a tenant may have.</summary>
    public const int Most = 1000;

    /// <summary>Creates or replaces a schedule. Fire times that were due, and not fired yet, are kept where its times stay the
    /// same.</summary>
    /// <param name="caller">Its owner from now on.</param>
    /// <param name="body">The body, an object.</param>
    /// <param name="condition">Checked against the existing schedule, or null.</param>
    public async Task<Put> PutAsync(
        Caller caller, string name, JsonElement body, Func<ScheduleRow?, bool> condition, CancellationToken cancellationToken)
    {
        var defined = datasets.Current;
        if (body.TryGetProperty("export", out var export) && ExportRequestReader.Unread(export, defined) is { } unread
            && await unread.AskAsync(anew: false, cancellationToken) is { } why)
        {
            return new Put.Unavailable(why);
        }

        while (true)
        {
            await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
            var known = await transaction.QuerySingleOrDefaultAsync<ScheduleRow>(
                $"SELECT {ScheduleRow.Columns} FROM schedules WHERE tenant = @Tenant AND name = @name FOR UPDATE",
                new { caller.Tenant, name },
                cancellationToken);
            if (!condition(known))
                return new Put.PreconditionFailed();
            // Not the transaction's time: it may have waited for the row.
            var now = await transaction.QuerySingleAsync<DateTimeOffset>("SELECT clock_timestamp()", null, cancellationToken);
            var (schedule, errors) = ScheduleRequestReader.Read(body, defined, now);
            if (schedule is null)
                return new Put.Invalid(errors);

            if (known is null && await transaction.ExecuteScalarAsync<long>(
                "SELECT count(*) FROM schedules WHERE tenant = @Tenant", new { caller.Tenant }, cancellationToken) >= Most)
            {
                return new Put.TooMany();
            }

            var stored = known is null
                ? await InsertAsync(transaction, caller, name, schedule, now, cancellationToken)
                : await ReplaceAsync(transaction, caller, known, schedule, now, cancellationToken);
            // Otherwise another caller has just created it: look again.
            if (stored is not null)
            {
                await transaction.CommitAsync(cancellationToken);
                return new Put.Stored(stored, known is null);
            }
        }
    }

    public Task<ScheduleRow?> FindAsync(Caller caller, string name, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<ScheduleRow>(
            $"SELECT {ScheduleRow.Columns} FROM schedules WHERE tenant = @Tenant AND name = @name",
            new { caller.Tenant, name },
            cancellationToken);

    /// <summary>By name, which is unique.</summary>
    public Task<IReadOnlyList<ScheduleRow>> ListAsync(
        Caller caller, string? after, int limit, CancellationToken cancellationToken) =>
        catalog.ListAsync<ScheduleRow>(
            $"""
            SELECT {ScheduleRow.Columns}
              FROM schedules
             WHERE tenant = @Tenant AND (@after::text IS NULL OR name COLLATE "C" > @after)
             ORDER BY name COLLATE "C"
             LIMIT @limit
            """,
            new { caller.Tenant, after, limit },
            cancellationToken);

    /// <summary>Deletes a schedule and its history. Its exports continue.</summary>
    /// <returns>Null where there is none; false where the condition does not hold.</returns>
    public async Task<bool?> DeleteAsync(
        Caller caller, string name, Func<ScheduleRow?, bool> condition, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var known = await transaction.QuerySingleOrDefaultAsync<ScheduleRow>(
            $"SELECT {ScheduleRow.Columns} FROM schedules WHERE tenant = @Tenant AND name = @name FOR UPDATE",
            new { caller.Tenant, name },
            cancellationToken);
        if (known is null)
            return null;
        if (!condition(known))
            return false;
        await transaction.ExecuteAsync("DELETE FROM schedules WHERE id = @Id", new { known.Id }, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static Task<ScheduleRow?> InsertAsync(
        Transaction transaction, Caller caller, string name, ValidSchedule schedule, DateTimeOffset now,
        CancellationToken cancellationToken) =>
        transaction.QuerySingleOrDefaultAsync<ScheduleRow>(
            $"""
            INSERT INTO schedules (id, tenant, name, caller, version, cron, time_zone, export, catch_up, overlap, paused, ends_at,
                                   next_fire_at, try_at)
            VALUES (@Id, @Tenant, @Name, @Caller, @Version, @Cron, @TimeZone, @Export::json, @CatchUp, @Overlap, @Paused, @EndsAt,
                    @NextFireAt, @NextFireAt)
            ON CONFLICT (tenant, name) DO NOTHING
            RETURNING {ScheduleRow.Columns}
            """,
            Parameters(Guid.CreateVersion7(), caller, name, schedule, First(schedule, now), series: 1),
            cancellationToken);

    private static async Task<ScheduleRow?> ReplaceAsync(
        Transaction transaction, Caller caller, ScheduleRow known, ValidSchedule schedule, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var keepsTimes = (known.Cron, known.TimeZone, known.Paused) == (schedule.Cron, schedule.TimeZone, schedule.Paused)
            && known.NextFireAt is not null;
        var next = keepsTimes && !(known.NextFireAt > schedule.EndsAt) ? known.NextFireAt : First(schedule, now);
        var series = ReadsTheSame(known.ExportJson, schedule.Export) ? known.Series : known.Series + 1;
        if (schedule.Paused)
        {
            await transaction.ExecuteAsync(
                $"""
                UPDATE schedule_runs
                   SET state = 'skipped', code = '{RunCodes.Paused}', detail = 'The schedule was paused while the run waited.'
                 WHERE schedule_id = @Id AND state = 'queued' AND NOT manual
                """,
                new { known.Id },
                cancellationToken);
        }

        return await transaction.QuerySingleAsync<ScheduleRow>(
            $"""
            UPDATE schedules
               SET caller = @Caller, version = @Version, series = @Series, cron = @Cron, time_zone = @TimeZone,
                   export = @Export::json, catch_up = @CatchUp, overlap = @Overlap, paused = @Paused, ends_at = @EndsAt,
                   next_fire_at = @NextFireAt, try_at = @NextFireAt, updated_at = clock_timestamp()
             WHERE id = @Id
            RETURNING {ScheduleRow.Columns}
            """,
            Parameters(known.Id, caller, known.Name, schedule, next, series),
            cancellationToken);
    }

    private static DateTimeOffset? First(ValidSchedule schedule, DateTimeOffset now) =>
        schedule.Paused || schedule.Times.After(now) is not { } first || first > schedule.EndsAt ? null : first;

    // A watermark is valid for one dataset with certain criteria; with others, there is none yet.
    private static bool ReadsTheSame(JsonElement before, JsonElement after) =>
        JsonElement.DeepEquals(Property(before, "dataset"), Property(after, "dataset"))
        && JsonElement.DeepEquals(Property(before, "criteria"), Property(after, "criteria"));

    private static JsonElement Property(JsonElement export, string name) =>
        export.TryGetProperty(name, out var value) ? value : JsonElement.Parse("null");

    private static object Parameters(
        Guid id, Caller caller, string name, ValidSchedule schedule, DateTimeOffset? nextFireAt, int series) => new
        {
            Id = id,
            caller.Tenant,
            Name = name,
            Caller = caller.Name,
            Version = Guid.NewGuid(),
            Series = series,
            schedule.Cron,
            schedule.TimeZone,
            Export = schedule.Export.GetRawText(),
            schedule.CatchUp,
            schedule.Overlap,
            schedule.Paused,
            schedule.EndsAt,
            NextFireAt = nextFireAt,
        };
}
