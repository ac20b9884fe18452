using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>What a dataset allows an export at most, in records and in stored bytes.</summary>
public sealed class Exports_within_limits
{
    private const string Sql = "SELECT g AS id, md5(g::text) AS note FROM generate_series(1::bigint, 40000) g ORDER BY id";

    [Theory]
    [InlineData("csv", "gzip")]
    [InlineData("ndjson", "none")]
    public async Task May_reach_a_limit_and_fail_one_beyond_it(string format, string compression)
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.Compression, run.MaxFileBytes) = (format, compression, 1 << 18);
        var whole = await run.ExportAsync(Sql);

        (run.MaxRecords, run.MaxBytes) = (whole.Records, whole.Bytes);
        await run.TextAsync(Sql);
        run.MaxRecords = whole.Records - 1;
        var records = await FailAsync(run);
        (run.MaxRecords, run.MaxBytes) = (null, whole.Bytes - 1);
        var bytes = await FailAsync(run);

        Assert.Equal(
            "The export has more than 39,999 records, which is maxRecords of its dataset: narrow its criteria, or let the "
            + "operator raise maxRecords and ask for it again.",
            records);
        Assert.StartsWith(
            $"The export has more than {whole.Bytes - 1:N0} stored bytes, which is maxBytes of its dataset: ", bytes,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Are_counted_over_all_connections_that_read_a_table()
    {
        await using var run = await ExportRun.NewAsync(
            $"CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders {Sql}");
        run.Options = new ExportingOptions { Connections = 3, RangeBytes = 1 << 18, BypassRecords = 0 };
        run.Table = TableQuery.Of("orders", null, null);

        run.MaxRecords = 40_000;
        Assert.Equal(40_000, (await run.ExportAsync(run.Table.Sql)).Records);
        run.MaxRecords = 39_999;
        Assert.Contains("more than 39,999 records", await FailAsync(run, run.Table.Sql), StringComparison.Ordinal);
    }

    private static async Task<string> FailAsync(ExportRun run, string sql = Sql)
    {
        run.Staged = new StagedObjects();
        var failure = await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(sql));
        Assert.Equal(("export_too_large", false), (failure.Code, failure.IsTransient));
        Assert.Equal(0, run.Staged.Open);
        return failure.Message;
    }
}
