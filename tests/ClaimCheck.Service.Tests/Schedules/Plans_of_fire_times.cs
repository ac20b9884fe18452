using ClaimCheck.Contracts;
using ClaimCheck.Service.Schedules;
using static ClaimCheck.Service.Tests.Schedules.Times_of_a_schedule;

namespace ClaimCheck.Service.Tests.Schedules;

[Trait("needs", "nothing")]
public sealed class Plans_of_fire_times
{
    private static readonly ScheduleLoad Idle = new(false, 0);
    private static readonly ScheduleLoad Running = new(true, 0);

    [Theory]
    [InlineData(CatchUp.Skip)]
    [InlineData(CatchUp.One)]
    [InlineData(CatchUp.All)]
    public void A_time_that_has_just_come_fires(string catchUp)
    {
        var plan = Make(catchUp, Overlap.Skip, due: "2026-06-15T02:00:00Z", now: "2026-06-15T02:00:20Z");
        Assert.Equal([new PlannedRun(At("2026-06-15T02:00:00Z"), null, null, 0)], plan.Runs);
        Assert.Equal(At("2026-06-16T02:00:00Z"), plan.Next);
    }

    [Fact]
    public void Missed_times_are_left_out_and_told_of()
    {
        var run = Assert.Single(Make(CatchUp.Skip, Overlap.Skip, "2026-06-10T02:00:00Z", "2026-06-15T01:00:00Z").Runs);
        Assert.Equal((At("2026-06-14T02:00:00Z"), RunCodes.Missed, 4), (run.FireTime, run.SkipCode, run.Missed));
    }

    [Fact]
    public void The_latest_missed_time_is_made_up_for_once()
    {
        var plan = Make(CatchUp.One, Overlap.Skip, "2026-06-10T02:00:00Z", "2026-06-15T01:00:00Z");
        var run = Assert.Single(plan.Runs);
        Assert.Equal((At("2026-06-14T02:00:00Z"), null, 4), (run.FireTime, run.SkipCode, run.Missed));
        Assert.Equal(At("2026-06-15T02:00:00Z"), plan.Next);
    }

    [Fact]
    public void Every_missed_time_is_made_up_for_also_where_runs_must_not_overlap()
    {
        var runs = Make(CatchUp.All, Overlap.Skip, "2026-06-10T02:00:00Z", "2026-06-15T02:00:01Z").Runs;
        Assert.Equal(6, runs.Count); // five late ones, and that of now
        Assert.All(runs, run => Assert.Null(run.SkipCode));
    }

    [Fact]
    public void No_more_missed_times_are_made_up_for_than_the_limit()
    {
        var runs = Make(CatchUp.All, Overlap.Skip, "2025-06-10T02:00:00Z", "2026-06-15T01:00:00Z").Runs;
        Assert.Equal(101, runs.Count);
        Assert.Equal((RunCodes.Missed, At("2026-03-06T02:00:00Z"), 269), (runs[0].SkipCode, runs[0].FireTime, runs[0].Missed));
        Assert.All(runs.Skip(1), run => Assert.Null(run.SkipCode));
    }

    [Fact]
    public void A_run_is_skipped_while_the_one_before_it_runs()
    {
        var run = Assert.Single(Make(CatchUp.One, Overlap.Skip, "2026-06-15T02:00:00Z", "2026-06-15T02:00:01Z", Running).Runs);
        Assert.Equal(RunCodes.PreviousRunning, run.SkipCode);
        run = Assert.Single(Make(CatchUp.One, Overlap.Skip, "2026-06-15T02:00:00Z", "2026-06-15T02:00:01Z", new(false, 1)).Runs);
        Assert.Equal(RunCodes.PreviousRunning, run.SkipCode);
    }

    [Fact]
    public void A_run_waits_for_the_one_before_it_while_not_too_many_do()
    {
        Assert.Null(Assert.Single(
            Make(CatchUp.One, Overlap.Queue, "2026-06-15T02:00:00Z", "2026-06-15T02:00:01Z", new(true, 9)).Runs).SkipCode);
        Assert.Equal(RunCodes.QueueFull, Assert.Single(
            Make(CatchUp.One, Overlap.Queue, "2026-06-15T02:00:00Z", "2026-06-15T02:00:01Z", new(true, 10)).Runs).SkipCode);
    }

    [Fact]
    public void Nothing_fires_after_the_end()
    {
        var plan = Make(
            CatchUp.All, Overlap.Queue, "2026-06-10T02:00:00Z", "2026-06-15T01:00:00Z", endsAt: "2026-06-12T02:00:00Z");
        Assert.Equal(
            [At("2026-06-10T02:00:00Z"), At("2026-06-11T02:00:00Z"), At("2026-06-12T02:00:00Z")],
            plan.Runs.Select(run => run.FireTime));
        Assert.Null(plan.Next);
    }

    private static FirePlan Make(
        string catchUp, string overlap, string due, string now, ScheduleLoad? load = null, string? endsAt = null) =>
        FirePlan.Make(
            new ScheduleRow(
                Guid.NewGuid(), "default", "nightly", "someone", Guid.NewGuid(), Series: 1, "0 0 2 * * ?", "UTC", Export: "{}",
                catchUp, overlap, Paused: false, endsAt is null ? null : At(endsAt),
                NextFireAt: At(due), CreatedAt: At(due), UpdatedAt: At(due)),
            At(now),
            load ?? Idle,
            new SchedulesOptions());
}
