using System.Text.Json;
using ClaimCheck.Service.Http.Access;

namespace ClaimCheck.Service.Schedules;

/// <summary>A row of <c>schedules</c>, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record ScheduleRow
{
    public const string Columns = """
        id, tenant, name, caller, version, series, cron, time_zone, export::text AS export, catch_up, overlap, paused, ends_at,
        next_fire_at, created_at, updated_at
        """;

    public required Guid Id { get; init; }
    public required string Tenant { get; init; }
    public required string Name { get; init; }
    public required string Caller { get; init; }
    public required Guid Version { get; init; }
    public required int Series { get; init; }
    public required string Cron { get; init; }
    public required string TimeZone { get; init; }
    public required string Export { get; init; }
    public required string CatchUp { get; init; }
    public required string Overlap { get; init; }
    public required bool Paused { get; init; }
    public DateTimeOffset? EndsAt { get; init; }
    public DateTimeOffset? NextFireAt { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    public JsonElement ExportJson => JsonElement.Parse(Export);

    public Caller Owner => new(Caller, Tenant);

    /// <summary>The entity tag: another one after each PUT.</summary>
    public string Tag => $"\"{Version:N}\"";

    public TimeZoneInfo Zone => ScheduleCron.TryFindZone(TimeZone, out var zone)
        ? zone
        : throw new InvalidOperationException($"This machine does not know the time zone {TimeZone} of schedule {Name}.");

    public ScheduleCron CronExpression =>
        ScheduleCron.Parse(Cron, Zone, out _) ?? throw new InvalidOperationException($"The cron expression of schedule {Name} can't be read.");
}

/// <summary>A row of <c>schedule_runs</c> with its export's state, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record RunRow
{
    public const string Columns = """
        r.id, r.fire_time, r.manual, r.state, r.code, r.detail, r.missed, r.criteria::text AS criteria, r.export_id, r.started_at,
        e.batch_id, CASE WHEN e.state = 'ready' AND e.expires_at <= now() THEN 'expired' ELSE e.state END AS export_state
        """;

    public required Guid Id { get; init; }
    public required DateTimeOffset FireTime { get; init; }
    public required bool Manual { get; init; }
    public required string State { get; init; }
    public string? Code { get; init; }
    public string? Detail { get; init; }
    public required int Missed { get; init; }
    public string? Criteria { get; init; }
    public Guid? ExportId { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public Guid? BatchId { get; init; }
    public string? ExportState { get; init; }
}
