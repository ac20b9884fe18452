using ClaimCheck.Contracts;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Sources;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>What a dry run says of an export, against what the export then does.</summary>
public sealed class Dry_runs : IAsyncLifetime
{
    private ExportRun run = null!;

    public async Task InitializeAsync()
    {
        run = await ExportRun.NewAsync(
            "CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders SELECT g, repeat(md5(g::text), 3) FROM "
            + "generate_series(1, 40000) g; ANALYZE orders");
        run.Options = new ExportingOptions { Connections = 3, RangeBytes = 1 << 20, BypassRecords = 0 };
    }

    public async Task DisposeAsync() => await run.DisposeAsync();

    [Theory]
    [InlineData("SELECT * FROM orders ORDER BY id", "id", RangesBy.Key)]
    [InlineData("SELECT id, note FROM orders LIMIT 30000", null, RangesBy.None)]
    [InlineData("SELECT o.id + 0 AS id, note FROM orders o", null, RangesBy.None)] // a key that nothing vouches for
    [InlineData(null, null, RangesBy.Ctid)]
    public async Task Say_how_the_export_reads_its_source(string? sql, string? orderedBy, string by)
    {
        run.OrderedBy = orderedBy;
        run.Table = sql is null ? TableQuery.Of("orders", null, null) : null;
        sql ??= run.Table!.Sql;

        await using var sources = Sources();
        var planned = await new DryRuns(sources, run.Options).PlanAsync(await run.FreezeAsync(sql), default, default);
        var exported = await run.ExportAsync(sql);

        Assert.Equal(by, planned.Ranges.By);
        Assert.Equal(exported.Ranges, planned.Ranges);
        Assert.Equal(run.Meter.EstimatedRecords, planned.Expected);
    }

    [Fact]
    public async Task End_where_the_source_takes_too_long_or_fails()
    {
        await using var sources = Sources();
        var dataset = await run.FreezeAsync("SELECT id, note FROM orders");
        await using var connection = await run.Source.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var held = new NpgsqlCommand("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE", connection);
            await held.ExecuteNonQueryAsync();
            var runs = new DryRuns(sources, run.Options) { Patience = TimeSpan.FromMilliseconds(200) };
            var slow = await Assert.ThrowsAsync<SourceException>(() => runs.PlanAsync(dataset, default, default));
            Assert.Equal((ProblemCodes.SourceUnavailable, true), (slow.Code, slow.IsTransient));
        }

        await run.ExecuteAsync("ALTER TABLE orders RENAME note TO remark");
        var changed = await Assert.ThrowsAsync<SourceException>(
            () => new DryRuns(sources, run.Options).PlanAsync(dataset, default, default));
        Assert.Equal(("source_query_failed", false), (changed.Code, changed.IsTransient));
    }

    [Theory]
    // The planner has seen half of the records of late; each took 20 bytes, and a thousand of them a second.
    [InlineData(1_000L, RangesBy.None, 1, 2_000L, 40_000L, 1)]
    [InlineData(100_000L, RangesBy.Ctid, 12, 200_000L, 4_000_000L, 4)]
    // Nine ranges of the key and the one of NULL.
    [InlineData(100_000L, RangesBy.Key, 10, 200_000L, 4_000_000L, 9)]
    [InlineData(0L, RangesBy.None, 1, 0L, 0L, 1)]
    // More than any before, so that the plan stands as it is.
    [InlineData(1_000_000L, RangesBy.None, 1, 1_000_000L, 20_000_000L, 20)]
    [InlineData(long.MaxValue, RangesBy.None, 1, long.MaxValue, long.MaxValue, int.MaxValue)]
    public void Scale_the_plan_by_what_the_last_exports_were(
        long expected, string by, int count, long records, long bytes, int files)
    {
        var ranges = new ExportRanges(by, count);

        var estimate = ExportEstimates.Of(
            new(expected, ranges), new(10_000, 200_000, 10, 2, Largest: 200_000), maxFileBytes: 1 << 20);

        Assert.Equal(
            new(records, bytes, files, Math.Round(records * 10.0 / 10_000, 1), ranges, EstimateBasis.History), estimate);
        Assert.Equal(
            new(expected, null, null, null, ranges, EstimateBasis.Plan),
            ExportEstimates.Of(new(expected, ranges), null, 1 << 20));
        Assert.Equal(
            new(null, null, null, null, ranges, EstimateBasis.Plan),
            ExportEstimates.Of(new(null, ranges), new(10_000, 200_000, 10, 2, 200_000), 1 << 20));
    }

    private SourceDatabases Sources() => new(
        new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["ConnectionStrings:tested"] = run.ConnectionString }).Build(),
        TimeProvider.System);
}
