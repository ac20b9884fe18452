namespace ClaimCheck.Contracts;

/// <summary>What happens to fire times that passed while the service was not running, as written on the wire.</summary>
public static class CatchUp
{
    /// <summary>They are skipped; one skipped run represents them.</summary>
    public const string Skip = "skip";

    /// <summary>The latest of them is caught up, once. The default.</summary>
    public const string One = "one";

    /// <summary>
    /// Each of them is caught up, one after the other, at most the latest 100 (or the number in the service's settings).
    /// </summary>
    public const string All = "all";

    /// <summary>All policies.</summary>
    public static IReadOnlyList<string> Policies { get; } = [Skip, One, All];
}

/// <summary>
/// What happens at a fire time while the previous run's export is not ready and has not ended, as written on the wire.
/// </summary>
public static class Overlap
{
    /// <summary>The run is skipped. The default.</summary>
    public const string Skip = "skip";

    /// <summary>
    /// The run waits, and starts when the previous one is ready or has ended; at most 10 (or the number in the service's
    /// settings) wait.
    /// </summary>
    public const string Queue = "queue";

    /// <summary>All policies.</summary>
    public static IReadOnlyList<string> Policies { get; } = [Skip, Queue];
}

/// <summary>The states of a run, as written on the wire.</summary>
public static class ScheduleRunState
{
    /// <summary>It waits for the previous run, or for its source.</summary>
    public const string Queued = "queued";

    /// <summary>Its export was requested; see that for its outcome.</summary>
    public const string Started = "started";

    /// <summary>It was skipped: missed, paused, or the previous run had not ended.</summary>
    public const string Skipped = "skipped";

    /// <summary>Its export could not be requested.</summary>
    public const string Failed = "failed";

    /// <summary>All states.</summary>
    public static IReadOnlyList<string> All { get; } = [Queued, Started, Skipped, Failed];
}

/// <summary>Names one run of a schedule: <c>run_</c> and a UUIDv7 as 32 lower-case hex digits.</summary>
/// <param name="Value">The UUID itself.</param>
[JsonConverter(typeof(ScheduleRunIdConverter))]
public readonly record struct ScheduleRunId(Guid Value)
{
    /// <summary>A new id; later ids sort after earlier ones, to the millisecond.</summary>
    public static ScheduleRunId New() => new(Guid.CreateVersion7());

    /// <summary>Reads the wire form.</summary>
    /// <returns>False when <paramref name="text"/> is not exactly the wire form.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out ScheduleRunId id)
    {
        var parsed = PrefixedId.TryParse("run_", text, out var value);
        id = new(value);
        return parsed;
    }

    /// <summary>The wire form.</summary>
    public override string ToString() => PrefixedId.Format("run_", Value);

    private sealed class ScheduleRunIdConverter : JsonConverter<ScheduleRunId>
    {
        public override ScheduleRunId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out var id) ? id : throw new JsonException("Not a run's id.");

        public override void Write(Utf8JsonWriter writer, ScheduleRunId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}

/// <summary>An export on a schedule: <c>PUT /v1/schedules/{name}</c>.</summary>
public sealed record ScheduleRequest
{
    /// <summary>
    /// When: a cron expression in Quartz's form, seconds first, six fields and optionally the year: <c>0 0 2 * * ?</c>.
    /// See https://www.quartz-scheduler.net/documentation/quartz-4.x/tutorial/crontriggers.html.
    /// A time in the gap of a change to summer time fires at the end of the gap; one that occurs twice fires the first time.
    /// </summary>
    public required string Cron { get; init; }

    /// <summary>An IANA time zone, for example <c>Europe/Berlin</c>; <c>UTC</c> by default.</summary>
    public string? TimeZone { get; init; }

    /// <summary>
    /// What: the body of <c>POST /v1/exports</c>. A criterion of type timestamptz, timestamp or date may also be
    /// <c>{ "relative": "-P1D", "anchor": "startOfDay" }</c>, counted from the fire time in the schedule's time zone, or
    /// <c>{ "after": "watermark", "overlap": "PT5M", "initial": "2026-01-01T00:00:00Z" }</c>, the time up to which earlier runs
    /// have read.
    /// </summary>
    public required JsonElement Export { get; init; }

    /// <summary>One of <see cref="Contracts.CatchUp"/>; <c>one</c> by default.</summary>
    public string? CatchUp { get; init; }

    /// <summary>One of <see cref="Contracts.Overlap"/>; <c>skip</c> by default.</summary>
    public string? Overlap { get; init; }

    /// <summary>True: it does not fire until it is put again. Times that pass meanwhile do not count as missed.</summary>
    public bool? Paused { get; init; }

    /// <summary>After this moment it does not fire; null: for ever.</summary>
    public DateTimeOffset? EndsAt { get; init; }
}

/// <summary>What can be done next with a schedule. Addresses are absolute.</summary>
/// <param name="Self">The schedule itself: GET, PUT, DELETE.</param>
/// <param name="Runs">Its history.</param>
/// <param name="Run">Where POST runs it now.</param>
public sealed record ScheduleLinks(string Self, string Runs, string Run);

/// <summary>A schedule, as returned by <c>GET /v1/schedules/{name}</c>.</summary>
public sealed record Schedule
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The cron expression.</summary>
    public required string Cron { get; init; }

    /// <summary>The IANA time zone it is read in.</summary>
    public required string TimeZone { get; init; }

    /// <summary>The body of the export that it requests, as it was given.</summary>
    public required JsonElement Export { get; init; }

    /// <summary>One of <see cref="Contracts.CatchUp"/>.</summary>
    public required string CatchUp { get; init; }

    /// <summary>One of <see cref="Contracts.Overlap"/>.</summary>
    public required string Overlap { get; init; }

    /// <summary>Whether it is paused.</summary>
    public required bool Paused { get; init; }

    /// <summary>After this moment it does not fire; null: for ever.</summary>
    public DateTimeOffset? EndsAt { get; init; }

    /// <summary>The next ten times, fewer where it ends before; none while it is paused.</summary>
    public required IReadOnlyList<DateTimeOffset> NextFireTimes { get; init; }

    /// <summary>When it was first put.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last put.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>What can be done next.</summary>
    public required ScheduleLinks Links { get; init; }
}

/// <summary>What can be done next with a run. Addresses are absolute.</summary>
/// <param name="Self">The run itself.</param>
/// <param name="Schedule">Its schedule.</param>
/// <param name="Export">Its export, or null where there is none.</param>
public sealed record ScheduleRunLinks(string Self, string Schedule, string? Export);

/// <summary>One run of a schedule.</summary>
public sealed record ScheduleRun
{
    /// <summary>Its id.</summary>
    public required ScheduleRunId RunId { get; init; }

    /// <summary>The schedule's name.</summary>
    public required string Schedule { get; init; }

    /// <summary>The fire time that it is for; for a run requested by a caller, the time of the request.</summary>
    public required DateTimeOffset FireTime { get; init; }

    /// <summary>True where a caller requested it.</summary>
    public required bool Manual { get; init; }

    /// <summary>One of <see cref="ScheduleRunState"/>.</summary>
    public required string State { get; init; }

    /// <summary>
    /// Why it was skipped (<c>missed</c>, <c>previous_running</c>, <c>queue_full</c>, <c>paused</c>) or has failed
    /// (<c>dataset_unknown</c>, <c>export_invalid</c>, <c>source_unavailable</c>); else null.
    /// </summary>
    public string? Code { get; init; }

    /// <summary>The same in words, or null.</summary>
    public string? Detail { get; init; }

    /// <summary>Earlier fire times that were missed and that this run represents; counted up to 1,000.</summary>
    public required int Missed { get; init; }

    /// <summary>The criteria as they were resolved, or null before it is started.</summary>
    public JsonElement? Criteria { get; init; }

    /// <summary>Its export, or null.</summary>
    public ExportId? ExportId { get; init; }

    /// <summary>Its export's batch, or null.</summary>
    public BatchId? BatchId { get; init; }

    /// <summary>Its export's state now, one of <see cref="Contracts.ExportState"/>, or null.</summary>
    public string? ExportState { get; init; }

    /// <summary>When its export was requested, or null.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>What can be done next.</summary>
    public required ScheduleRunLinks Links { get; init; }
}
