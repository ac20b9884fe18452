namespace ClaimCheck.Service.Schedules;

/// <summary>A row of <c>schedules</c>, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record ScheduleRow(
    Guid Id, string Tenant, string Name, string Caller, Guid Version, int Series, string Cron, string TimeZone,
    string Export, string CatchUp, string Overlap, bool Paused, DateTimeOffset? EndsAt, DateTimeOffset? NextFireAt,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public const string Columns = """
        id, tenant, name, caller, version, series, cron, time_zone, export::text AS export, catch_up, overlap, paused, ends_at,
        next_fire_at, created_at, updated_at
        """;

    public JsonElement ExportJson => JsonElement.Parse(Export);

    public Caller Owner => new(Caller, Tenant);

    /// <summary>The entity tag: another one after each PUT.</summary>
    public string Tag => $"\"{Version:N}\"";

    public TimeZoneInfo Zone => ScheduleCron.TryFindZone(TimeZone, out var zone)
        ? zone
        : throw new InvalidOperationException($"This machine does not know the time zone {TimeZone} of schedule {Name}.");

    public ScheduleCron CronExpression =>
        ScheduleCron.Parse(Cron, Zone, out _)
        ?? throw new InvalidOperationException($"The cron expression of schedule {Name} can't be read.");
}

/// <summary>A row of <c>schedule_runs</c> with its export's state, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record RunRow(
    Guid Id, DateTimeOffset FireTime, bool Manual, string State, string? Code, string? Detail, int Missed,
    string? Criteria, Guid? ExportId, DateTimeOffset? StartedAt, Guid? BatchId, string? ExportState)
{
    public const string Columns = """
        r.id, r.fire_time, r.manual, r.state, r.code, r.detail, r.missed, r.criteria::text AS criteria, r.export_id, r.started_at,
        e.batch_id, CASE WHEN e.state = 'ready' AND e.expires_at <= now() THEN 'expired' ELSE e.state END AS export_state
        """;
}
