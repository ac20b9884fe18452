using ClaimCheck.Contracts;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Tests.Datasets;
using ClaimCheck.Service.Tests.Revocation;

namespace ClaimCheck.Service.Tests.States;

/// <summary>What an export says of its progress, by a clock that the test sets.</summary>
public sealed class Progress_of_an_export
{
    private readonly DatasetScene.ManualClock clock = new();

    [Fact]
    public void A_rate_follows_what_was_lately_and_forgets_what_was_before()
    {
        var meter = new ExportMeter(clock);
        meter.Sample();
        Beat(30, records: 0, bytes: 0);
        Assert.Null(meter.RecordsPerSecond); // the source still sorts

        Beat(1, records: 100, bytes: 1_000);
        Assert.Equal((100, 1_000), (meter.RecordsPerSecond, meter.BytesPerSecond));
        Beat(1, records: 300, bytes: 3_000);
        Assert.Equal((200, 2_000), (meter.RecordsPerSecond, meter.BytesPerSecond)); // the mean of the two
        for (var i = 0; i < 60; i++)
            Beat(1, records: 5_000, bytes: 50_000);
        Assert.InRange(meter.RecordsPerSecond!.Value, 4_950, 5_000);
        Assert.InRange(meter.BytesPerSecond!.Value, 49_500, 50_000);
        meter.Sample(); // at the same moment
        Assert.InRange(meter.RecordsPerSecond.Value, 4_950, 5_000);
        Beat(10, records: 0, bytes: 0);
        Assert.InRange(meter.RecordsPerSecond.Value, 5_000 * 0.35, 5_000 * 0.38); // e^-1 after ten seconds of standstill

        void Beat(int seconds, long records, long bytes)
        {
            clock.Advance(TimeSpan.FromSeconds(seconds));
            meter.Stored(records, bytes);
            meter.Sample();
        }
    }

    [Fact]
    public async Task Has_rates_and_the_time_left_while_it_runs_and_the_quality_of_the_estimate_afterwards()
    {
        await using var lab = await RevocationLab.StartAsync(loops: false);
        var leases = lab.Get<ExportLeases>();
        var plan = await lab.LeaseAsync();
        var meter = new ExportMeter(clock);
        meter.Estimated(2_500);
        meter.FileBegun();
        await StoreAsync(1_000, 20_000);

        var progress = await ShownAsync();
        Assert.Equal(
            new ExportProgress(1_000, 20_000, 1, 2_500) { RecordsPerSecond = 100, BytesPerSecond = 2_000, SecondsLeft = 15 },
            progress);
        await StoreAsync(1_500, 20_000);
        Assert.Null((await ShownAsync()).SecondsLeft); // the estimate is used up
        // A standstill of hours.
        await lab.SqlAsync("UPDATE exports SET records = 1000, records_per_second = 1e-300, bytes_per_second = 1e-300");
        progress = await ShownAsync();
        Assert.Equal((0, 0, null), (progress.RecordsPerSecond, progress.BytesPerSecond, progress.SecondsLeft));

        await leases.HandBackAsync(plan, TimeSpan.Zero, failed: true, default);
        Assert.Null((await ShownAsync()).RecordsPerSecond);
        var again = await leases.TakeAsync(default);
        progress = await ShownAsync();
        Assert.Equal((null, null, 2_500), (progress.RecordsPerSecond, progress.BytesPerSecond, progress.EstimatedRecords));

        var staged = await lab.StageAsync(again!, new ExportMeter());
        Assert.True(await lab.Get<ExportOutcomes>().CompleteAsync(again!, staged with { EstimatedRecords = 125 }, default));
        progress = await ShownAsync();
        Assert.Equal((50, 125, 2.5, null),
            (progress.Records, progress.EstimatedRecords, progress.EstimateRatio, progress.SecondsLeft));

        async Task StoreAsync(long records, long bytes)
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            meter.Stored(records, bytes);
            Assert.True(await leases.RenewAsync(plan, meter, default));
        }

        async Task<ExportProgress> ShownAsync() => lab.Get<ExportViews>().Show(await lab.FindAsync(plan.BatchId)).Progress;
    }
}
