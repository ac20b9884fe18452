using ClaimCheck.Contracts;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>A table that several connections read side by side: each row of the snapshot comes once, whatever happens to the
/// table meanwhile.</summary>
public sealed class Tables_in_ranges : IAsyncLifetime
{
    private const string Row = "g, repeat(md5(g::text), 3), CASE WHEN g % 3 = 0 THEN NULL ELSE g * 1.5 END";

    private ExportRun run = null!;

    public async Task InitializeAsync()
    {
        run = await ExportRun.NewAsync($"""
            CREATE TABLE orders (id bigint PRIMARY KEY, note text, amount numeric);
            INSERT INTO orders SELECT {Row} FROM generate_series(1, 60000) g;
            DELETE FROM orders WHERE id % 7 = 0;
            UPDATE orders SET note = 'changed' WHERE id % 11 = 0;
            """);
        run.Options = new ExportingOptions { Connections = 3, RangeBytes = 1 << 20, BypassRecords = 0 };
    }

    public async Task DisposeAsync() => await run.DisposeAsync();

    [Theory]
    [InlineData("csv", "gzip", null, null)]
    [InlineData("csv", "none", new[] { "note", "id" }, "amount > 100 OR amount IS NULL -- of all")]
    [InlineData("ndjson", "gzip", new[] { "id" }, "id % 2 = 0")]
    public async Task Give_each_row_once(string format, string compression, string[]? select, string? where)
    {
        (run.Format, run.Compression) = (format, compression);
        run.MaxFileBytes = 1 << 20;

        Assert.Equal(await AloneAsync("orders", select, where), await InRangesAsync("orders", select, where, least: 6));
    }

    [Fact]
    public async Task Are_of_one_snapshot_whatever_is_written_meanwhile()
    {
        var before = await AloneAsync("orders", null, null);
        var changes = 0;
        run.Staged = new StagedObjects
        {
            BeforeWrite = async (_, _) =>
            {
                if (Interlocked.Increment(ref changes) == 2)
                    await run.ExecuteAsync($"""
                        UPDATE orders SET note = 'late';
                        DELETE FROM orders WHERE id % 5 = 0;
                        INSERT INTO orders SELECT {Row} FROM generate_series(100000, 110000) g;
                        """);
            },
        };

        Assert.Equal(before, await InRangesAsync("orders", null, null, least: 6, keep: true));
        Assert.True(changes > 2);
    }

    [Fact]
    public async Task Of_partitions_have_their_columns_by_name()
    {
        await run.ExecuteAsync($"""
            CREATE TABLE parts (id bigint, note text, amount numeric, PRIMARY KEY (id)) PARTITION BY RANGE (id);
            CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (1) TO (20000);
            CREATE TABLE "Parts, high" (amount numeric, gone int, note text, id bigint NOT NULL);
            ALTER TABLE "Parts, high" DROP COLUMN gone;
            ALTER TABLE parts ATTACH PARTITION "Parts, high" FOR VALUES FROM (20000) TO (50000);
            CREATE TABLE parts_rest PARTITION OF parts DEFAULT PARTITION BY RANGE (id);
            CREATE TABLE parts_last PARTITION OF parts_rest FOR VALUES FROM (50000) TO (70000);
            CREATE TABLE parts_none PARTITION OF parts_rest DEFAULT;
            INSERT INTO parts SELECT {Row} FROM generate_series(1, 60000) g;
            """);

        Assert.Equal(await AloneAsync("parts", null, null), await InRangesAsync("parts", null, null, least: 8));
    }

    [Theory]
    [InlineData("heirs", "CREATE TABLE heirs (LIKE orders INCLUDING ALL); CREATE TABLE heirs_more () INHERITS (heirs); "
        + "INSERT INTO heirs SELECT * FROM orders; INSERT INTO heirs_more SELECT id + 100000, note, amount FROM orders")]
    [InlineData("shown", "CREATE VIEW shown AS SELECT * FROM orders")]
    [InlineData("small", "CREATE TABLE small AS SELECT * FROM orders WHERE id < 100")]
    [InlineData("none", "CREATE TABLE none (id bigint PRIMARY KEY)")]
    [InlineData("hidden", "CREATE TABLE hidden (LIKE orders INCLUDING ALL) PARTITION BY RANGE (id); "
        + "CREATE TABLE hidden_1 PARTITION OF hidden DEFAULT; INSERT INTO hidden SELECT * FROM orders; "
        + "ALTER TABLE hidden_1 ENABLE ROW LEVEL SECURITY")]
    public async Task Are_not_made_of_what_has_none(string table, string schema)
    {
        await run.ExecuteAsync(schema);
        run.TrustsKey = true;

        Assert.Equal(await AloneAsync(table, null, null), await InRangesAsync(table, null, null, least: 0));
    }

    [Theory]
    [InlineData("now() > '2020-01-01'", false)]
    [InlineData("id < 50000 AND current_user <> ''", false)]
    [InlineData("random() < 2", false)]
    [InlineData("'today'::date > '2020-01-01'", false)]
    [InlineData("pg_catalog.\"now\"() IS NOT NULL", false)]
    [InlineData("unknown_yet(id)", false)]
    [InlineData("E'2020-01-01'::date < '2021-01-01'", false)]
    [InlineData("'20'\n'20-01-01' < '2021-01-01'::date", false)]
    [InlineData("coalesce(CASE WHEN note IS NULL THEN note END, '2020-01-01')::date < '2021-01-01'", false)]
    [InlineData("id <~ 60000", false)]
    [InlineData("(id IN (1, 2) OR coalesce(lower(note), '') <> '') AND (id % 2) = 0", true)]
    public async Task Are_made_where_every_session_selects_the_same_rows(string where, bool areMade)
    {
        await run.ExecuteAsync(
            "CREATE FUNCTION unknown_yet(id bigint) RETURNS boolean STABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; "
            + "CREATE FUNCTION below(bigint, int) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT $1 <= $2'; "
            + "CREATE OPERATOR <~ (FUNCTION = below, LEFTARG = bigint, RIGHTARG = int)");

        Assert.Equal(
            await AloneAsync("orders", null, where), await InRangesAsync("orders", null, where, least: areMade ? 6 : 0));
    }

    [Fact]
    public async Task Whose_records_are_refused_say_no_place_that_is_not_theirs()
    {
        await run.ExecuteAsync("ALTER TABLE orders DROP CONSTRAINT orders_pkey; ALTER TABLE orders ALTER id DROP NOT NULL");
        await run.ExecuteAsync("UPDATE orders SET id = NULL WHERE id = 40000");
        run.TrustsKey = true;
        run.Table = TableQuery.Of("orders", null, null);

        var refusal = await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(run.Table.Sql));

        Assert.Equal(("key_null", "A record has no key."), (refusal.Code, refusal.Message));
        Assert.Equal(0, run.Staged.Open);
    }

    [Fact]
    public async Task That_one_connection_reads_are_shown_as_one_stream()
    {
        run.Table = TableQuery.Of("orders", null, null);
        run.Options = new ExportingOptions { Connections = 1, RangeBytes = 1 << 20 };

        var batch = await run.ExportAsync(run.Table.Sql);

        Assert.Equal((new ExportRanges("none", 1), new ExportRanges("none", 1)), (run.Meter.Ranges, batch.Ranges));
    }

    [Fact]
    public void Of_which_each_has_its_lane_name_no_record_by_a_number()
    {
        var check = new KeyCheck(0, isOrdered: true) { SeesAll = false };
        check.See("1"u8);

        var refusal = Assert.Throws<SourceException>(() => check.See("1"u8));

        Assert.Equal(("key_not_unique", "A record has the key of the record before it."), (refusal.Code, refusal.Message));
    }

    private async Task<IReadOnlyList<string>> AloneAsync(string table, IReadOnlyList<string>? select, string? where)
    {
        run.Table = null;
        return Lines(await run.TextAsync(TableQuery.Of(table, select, where).Sql));
    }

    /// <param name="table">Which table.</param>
    /// <param name="select">Its columns.</param>
    /// <param name="where">Its rows.</param>
    /// <param name="least">How many ranges it has at least; 0 where it is to have none.</param>
    /// <param name="keep">Whether the staging is one of the test's own.</param>
    private async Task<IReadOnlyList<string>> InRangesAsync(
        string table, IReadOnlyList<string>? select, string? where, int least, bool keep = false)
    {
        run.Table = TableQuery.Of(table, select, where);
        ExportRanges shown;
        await using (var session = await SourceSession.OpenAsync(() => run.Source, ExportRun.Settings, CancellationToken.None))
        {
            var columns = await session.DescribeAsync(run.Table.Sql, CancellationToken.None);
            var ranges = await session.CutAsync(
                new()
                {
                    Sql = run.Table.Sql,
                    Table = run.Table,
                    Render = range => range,
                    Columns = columns,
                    Key = columns.Single(column => column.Name == "id"),
                    RangeBytes = run.Options.RangeBytes,
                },
                CancellationToken.None);
            Assert.True(least == 0 ? ranges == RangeCut.None : ranges.By == "ctid" && ranges.Queries.Count >= least, $"{ranges}");
            shown = ranges.Shown;
        }

        var text = keep
            ? run.Check(await run.ExportAsync(run.Table.Sql), "id,note,amount\n")
            : await run.TextAsync(run.Table.Sql);
        Assert.Equal(shown, run.Meter.Ranges);
        return Lines(text);
    }

    private static IReadOnlyList<string> Lines(string text) => [.. text.Split('\n').Order(StringComparer.Ordinal)];
}
