namespace ClaimCheck.Service.Schedules;

/// <summary>Why a run was skipped or has failed. Callers see these.</summary>
internal static class RunCodes
{
    public const string Missed = "missed";
    public const string PreviousRunning = "previous_running";
    public const string QueueFull = "queue_full";
    public const string Paused = "paused";
    public const string DatasetUnknown = "dataset_unknown";
    public const string ExportInvalid = "export_invalid";
}

/// <summary>A run to be recorded: to be started when it is due, or skipped for a reason.</summary>
internal sealed record PlannedRun(DateTimeOffset FireTime, string? SkipCode, string? SkipDetail, int Missed);

/// <summary>The state of a schedule when it is due.</summary>
/// <param name="IsRunning">The export of the previous run has not ended.</param>
/// <param name="Queued">How many runs wait.</param>
internal sealed record ScheduleLoad(bool IsRunning, int Queued)
{
    public bool IsBusy => IsRunning || Queued > 0;
}

/// <summary>Decides about the fire times that have passed, oldest first.</summary>
internal sealed record FirePlan(IReadOnlyList<PlannedRun> Runs, DateTimeOffset? Next)
{
    private const int MostCounted = 1000;

    public static FirePlan Make(ScheduleRow schedule, DateTimeOffset now, ScheduleLoad load, SchedulesOptions options)
    {
        var cron = schedule.CronExpression;
        var until = schedule.EndsAt < now ? schedule.EndsAt.Value : now;
        var next = cron.After(now) is { } following && !(following > schedule.EndsAt) ? following : (DateTimeOffset?)null;
        if (schedule.NextFireAt is not { } due || due > until)
            return new([], next);

        var times = cron.Latest(due, until, MostCounted);
        var late = times.Count(time => now - time > options.Grace);
        var madeUp = schedule.CatchUp switch
        {
            CatchUp.One => Math.Min(late, 1),
            CatchUp.All => Math.Min(late, options.MostMissed),
            _ => 0,
        };
        var plan = new Planner(schedule, load, options, makesUpForAll: schedule.CatchUp == CatchUp.All && late > 0);
        var leftOut = late - madeUp;
        if (leftOut > 0 && schedule.CatchUp != CatchUp.One)
            plan.Skip(times[leftOut - 1], RunCodes.Missed, "The service was not running at its time.", leftOut - 1);
        for (var i = leftOut; i < times.Count; i++)
            plan.Fire(times[i], missed: i == leftOut && schedule.CatchUp == CatchUp.One ? leftOut : 0);
        return new(plan.Runs, next);
    }

    private sealed class Planner(ScheduleRow schedule, ScheduleLoad load, SchedulesOptions options, bool makesUpForAll)
    {
        private readonly List<PlannedRun> runs = [];
        private bool isBusy = load.IsBusy;
        private int queued = load.Queued;

        public IReadOnlyList<PlannedRun> Runs => runs;

        public void Skip(DateTimeOffset time, string code, string detail, int missed) =>
            runs.Add(new(time, code, detail, missed));

        public void Fire(DateTimeOffset time, int missed)
        {
            // With all but the first skipped because that one runs, catching up all would be the same as catching up one.
            if (isBusy && !makesUpForAll && schedule.Overlap == Overlap.Skip)
                Skip(time, RunCodes.PreviousRunning, "The export of the previous run had not ended.", missed);
            else if (isBusy && !makesUpForAll && queued >= options.MostQueued)
                Skip(time, RunCodes.QueueFull, $"{queued} runs waited already.", missed);
            else
                Enqueue(time, missed);
        }

        private void Enqueue(DateTimeOffset time, int missed)
        {
            runs.Add(new(time, null, null, missed));
            isBusy = true;
            queued++;
        }
    }
}
