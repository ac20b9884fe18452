namespace ClaimCheck.Service.Schedules;

/// <summary>Schedules and their runs as callers see them.</summary>
internal sealed class ScheduleViews(PublicAddress address)
{
    private const int NextTimes = 10;

    public static string PathOf(string name) => $"/v1/schedules/{name}";

    public static string PathOf(string name, ScheduleRunId run) => $"{PathOf(name)}/runs/{run}";

    public Schedule Show(ScheduleRow row)
    {
        var self = address.Url(PathOf(row.Name));
        return new()
        {
            Name = row.Name,
            Cron = row.Cron,
            TimeZone = row.TimeZone,
            Export = row.ExportJson,
            CatchUp = row.CatchUp,
            Overlap = row.Overlap,
            Paused = row.Paused,
            EndsAt = row.EndsAt,
            NextFireTimes = row.CronExpression.From(row.NextFireAt, row.EndsAt, NextTimes),
            CreatedAt = row.CreatedAt,
            UpdatedAt = row.UpdatedAt,
            Links = new(self, self + "/runs", self + "/run"),
        };
    }

    public ScheduleRun Show(ScheduleRow schedule, RunRow run) => new()
    {
        RunId = new(run.Id),
        Schedule = schedule.Name,
        FireTime = run.FireTime,
        Manual = run.Manual,
        State = run.State,
        Code = run.Code,
        Detail = run.Detail,
        Missed = run.Missed,
        Criteria = run.Criteria is null ? null : JsonElement.Parse(run.Criteria),
        ExportId = run.ExportId is { } export ? new ExportId(export) : null,
        BatchId = run.BatchId is { } batch ? new BatchId(batch) : null,
        ExportState = run.ExportState,
        StartedAt = run.StartedAt,
        Links = new(
            address.Url(PathOf(schedule.Name, new(run.Id))),
            address.Url(PathOf(schedule.Name)),
            run.ExportId is { } asked ? address.Url(ExportViews.PathOf(new(asked))) : null),
    };
}
