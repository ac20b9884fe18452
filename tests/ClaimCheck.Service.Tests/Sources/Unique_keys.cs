using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Exporting;

namespace ClaimCheck.Service.Tests.Sources;

/// <summary>Two records of one key fail the export, wherever they are; what a unique index makes sure of is not
/// looked at again.</summary>
public sealed class Unique_keys
{
    private const string Tables = """
        CREATE TABLE t (id int PRIMARY KEY, n numeric UNIQUE, code text, day date, later int UNIQUE DEFERRABLE, part int, two int, UNIQUE (two, day));
        CREATE UNIQUE INDEX ON t (part) WHERE part > 0;
        CREATE UNIQUE INDEX ON t (lower(code));
        INSERT INTO t SELECT g, g, 'c' || g, '2026-01-01', g, 0, g FROM generate_series(1, 50) g;
        CREATE VIEW v AS SELECT * FROM t;
        CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
        CREATE UNIQUE INDEX ON m (id);
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child () INHERITS (parent);
        INSERT INTO parent VALUES (1), (2);
        INSERT INTO child VALUES (2);
        CREATE TABLE parts (id int PRIMARY KEY, day int) PARTITION BY RANGE (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
        CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
        CREATE TABLE days (id int, day int, UNIQUE (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE days_1 PARTITION OF days DEFAULT;
        CREATE TABLE other (t int, x int);
        INSERT INTO other SELECT 7, 1 FROM generate_series(1, 2);
        """;

    [Fact]
    public async Task A_unique_index_vouches_only_where_the_query_reads_its_table_once()
    {
        await using var run = await ExportRun.NewAsync(Tables);
        foreach (var (sql, expected) in ((string, bool)[])
            [
                ("SELECT id, code FROM t", true),
                ("SELECT code, t.id FROM t WHERE day > '2000-01-01' ORDER BY code LIMIT 10", true),
                ("SELECT q.id FROM (SELECT id, code FROM t OFFSET 0) q", true),
                ("SELECT id, (SELECT count(*) FROM other) AS others, row_number() OVER (ORDER BY code) FROM t WHERE two > "
                    + "(SELECT max(x) FROM other)", true),
                ("SELECT n AS id FROM t", true),
                ("SELECT id FROM m", true),
                ("SELECT id FROM ONLY parent", true),
                ("SELECT id + 0 AS id FROM t", false),
                ("SELECT id::bigint AS id FROM t", false),
                ("SELECT code AS id FROM t", false),
                ("SELECT day AS id FROM t", false),
                ("SELECT two AS id FROM t", false),
                ("SELECT part AS id FROM t WHERE part > 0", false),
                ("SELECT later AS id FROM t", false),
                ("SELECT id FROM v", false), // the view's own column
                ("SELECT t.id FROM t JOIN other ON other.t = t.id", false),
                ("SELECT t.id FROM t LEFT JOIN other ON other.t = t.id", false),
                ("SELECT t.id FROM t, generate_series(1, 2)", false),
                ("SELECT id, generate_series(1, 2) FROM t", false),
                ("SELECT id, unnest(ARRAY[1, 2]) FROM t", false),
                ("SELECT id FROM t UNION ALL SELECT id FROM t", false),
                ("SELECT id FROM (SELECT id FROM t UNION ALL SELECT id FROM t) q", false),
                ("WITH RECURSIVE r AS (SELECT id FROM t UNION ALL SELECT id + 1 FROM r WHERE id < 5) SELECT id FROM r", false),
                ("WITH w AS MATERIALIZED (SELECT id FROM t) SELECT id FROM w", false),
                ("SELECT id FROM parent", false),
                ("SELECT id FROM parts", true),
                ("SELECT id, day FROM parts WHERE id > 150 ORDER BY day", true),
                ("SELECT day AS id FROM parts", false),
                ("SELECT id FROM days", false),
                ("SELECT id FROM parts UNION ALL SELECT id FROM parts", false),
                ("SELECT id FROM parts WHERE id < 100 UNION ALL SELECT day FROM parts_2", false),
                ("SELECT id FROM (SELECT id FROM parts WHERE id < 100 UNION ALL SELECT day FROM parts_2) q", false),
                ("SELECT a.id FROM parts a JOIN parts b ON b.day = a.id", false),
                ("SELECT id FROM t GROUP BY GROUPING SETS ((id), (id))", false),
            ])
        {
            Assert.True(expected == await VouchesAsync(run, sql), sql);
        }

        await run.ExecuteAsync("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_pkey'::regclass");
        Assert.False(await VouchesAsync(run, "SELECT id, code FROM t"));
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task A_key_that_comes_twice_fails_the_export_in_any_order_unless_it_is_trusted(string format)
    {
        await using var run = await ExportRun.NewAsync(Tables);
        (run.Format, run.MaxFileBytes, run.KeyMemory) = (format, 64 << 10, 100 << 10);
        const string first =
            "SELECT CASE i WHEN 9000 THEN 1 ELSE i END AS id, repeat('x', 50) AS note FROM generate_series(1, 9000) i";

        foreach (var (sql, detail) in ((string, string)[])
            [
                (first, "Record 9000 has the key of record 1."), // in another file
                ("SELECT t.id FROM t LEFT JOIN other ON other.t = t.id", "Record "),
                ("SELECT id FROM parent", "Record "),
                ("SELECT ('k' || i % 8999) AS id FROM generate_series(1, 9000) i", "Record 9000 has the key of record 1."),
            ])
        {
            run.Staged = new StagedObjects();
            var failure = await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(sql));
            Assert.Equal(("key_not_unique", false), (failure.Code, failure.IsTransient));
            Assert.StartsWith(detail, failure.Message, StringComparison.Ordinal);
            Assert.Equal(0, run.Staged.Open);
        }

        run.Staged = new StagedObjects();
        run.TrustsKey = true;
        Assert.Equal(9000, (await run.ExportAsync(first)).Records);
    }

    [Fact]
    public async Task Keys_are_told_apart_by_their_text_also_where_the_order_takes_some_for_equal()
    {
        await using var run = await ExportRun.NewAsync();
        run.OrderedBy = "id";
        await run.ExportAsync("SELECT id FROM (VALUES (1.0), (1.00), (1.000)) v (id) ORDER BY id");
        run.Staged = new StagedObjects();
        // In order, but the equal ones are not neighbours.
        Assert.Equal("key_not_unique", (await Assert.ThrowsAsync<SourceException>(
            () => run.ExportAsync("SELECT id FROM (VALUES (1.0), (1.00), (1.0)) v (id) ORDER BY id"))).Code);

        const string texts = "SELECT id COLLATE blind AS id FROM (VALUES ('a'), ('A'), ('a')) v (id) ORDER BY id";
        await run.ExecuteAsync("CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
        run.Staged = new StagedObjects();
        Assert.Equal("key_not_unique", (await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(texts))).Code);
    }

    [Theory]
    [InlineData("bytea_output", "escape", "'\\xff00'::bytea")]
    [InlineData("DateStyle", "German", "date '2026-01-31'")]
    [InlineData("IntervalStyle", "postgres", "interval '1 day'")]
    [InlineData("TimeZone", "Europe/Berlin", "timestamptz '2026-01-31T00:00:00Z'")]
    public async Task A_query_that_changes_how_values_are_written_fails_and_does_not_hang(
        string setting, string value, string expression)
    {
        await using var run = await ExportRun.NewAsync();
        run.Format = "ndjson";

        var failure = await Assert.ThrowsAsync<SourceException>(
            () => run.ExportAsync($"SELECT i AS id, {expression} AS odd, set_config('{setting}', '{value}', true) AS c FROM "
                + "generate_series(1, 3) i"));

        Assert.Equal("value_not_understood", failure.Code);
        Assert.Contains("column odd in record 1 ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, run.Staged.Open);
    }

    private static async Task<bool> VouchesAsync(ExportRun run, string sql)
    {
        await using var connection = await run.Source.OpenConnectionAsync();
        var columns = await ResultShape.DescribeAsync(connection, sql, CancellationToken.None);
        return await UniqueKeyCheck.VouchesAsync(
            connection, sql, columns.First(column => column.Name == "id"), CancellationToken.None);
    }
}
