using ClaimCheck.Contracts;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>A query that several connections read by ranges of its key: each record of the snapshot comes once, and the files
/// keep the order of the key.</summary>
public sealed class Queries_in_ranges : IAsyncLifetime
{
    private const string Row = "g, repeat(md5(g::text), 3), CASE WHEN g % 3 = 0 THEN NULL ELSE g * 1.5 END, 'g' || g % 100";
    private const string Ordered = "SELECT id, note FROM orders ORDER BY id";

    private ExportRun run = null!;

    public async Task InitializeAsync()
    {
        run = await ExportRun.NewAsync($"""
            CREATE TABLE orders (id bigint PRIMARY KEY, note text, amount numeric, code text);
            INSERT INTO orders SELECT {Row} FROM generate_series(1, 40000) g;
            DELETE FROM orders WHERE id % 7 = 0;
            ANALYZE orders;
            """);
        run.Options = new ExportingOptions { Connections = 3, RangeBytes = 1 << 20, BypassRecords = 0 };
    }

    public async Task DisposeAsync() => await run.DisposeAsync();

    [Theory]
    [InlineData("csv", "gzip", Ordered, true)]
    [InlineData("csv", "none", "SELECT note, id FROM orders WHERE amount > 100 OR amount IS NULL ORDER BY id -- of all", true)]
    [InlineData("ndjson", "gzip", "SELECT id, amount FROM orders", false)]
    public async Task Give_each_record_once_and_keep_the_order_of_the_key(
        string format, string compression, string sql, bool isOrdered)
    {
        (run.Format, run.Compression, run.OrderedBy) = (format, compression, isOrdered ? "id" : null);
        run.MaxFileBytes = 1 << 20;
        var alone = await AloneAsync(sql);

        var (text, ranges) = await ReadAsync(sql);

        Assert.Equal(alone, isOrdered ? text : Sorted(text, alone));
        Assert.True(ranges is { By: "key", Count: > 4 }, $"{ranges}");
    }

    [Theory]
    [InlineData("smallint", "g - 15000", true)]
    [InlineData("integer", "g", true)]
    [InlineData("bigint", "g * 10000000000", true)]
    [InlineData("numeric", "g / 7.0 - 2000", true)]
    [InlineData("text", "chr(65 + g % 26) || chr(97 + g % 7) || g", true)]
    [InlineData("text COLLATE \"C\"", "'\\it''s ' || chr(65 + g % 26) || chr(97 + g % 7) || g", true)]
    [InlineData("varchar(40)", "'k' || g", true)]
    [InlineData("uuid", "md5(g::text)::uuid", true)]
    [InlineData("date", "date '4000-01-01 BC' + g * 40", true)]
    [InlineData("timestamp", "timestamp '2026-01-01' + g * interval '1.000001 s'", true)]
    [InlineData(
        "timestamptz", "CASE g WHEN 1 THEN '-infinity' ELSE timestamptz '2026-01-01' + g * interval '1.000001 s' END", true)]
    [InlineData("bytea", "decode(md5(g::text), 'hex')", true)]
    [InlineData("double precision", "g / 7.0", false)]
    public async Task Are_cut_in_the_type_and_the_order_of_the_key(string type, string value, bool areMade)
    {
        await run.ExecuteAsync($"""
            CREATE TABLE keyed (id {type}, note text);
            INSERT INTO keyed SELECT DISTINCT ON (id) id, note
              FROM (SELECT ({value})::{type} AS id, repeat(md5(g::text), 3) AS note FROM generate_series(1, 30000) g) s ORDER BY id;
            CREATE UNIQUE INDEX ON keyed (id);
            ANALYZE keyed;
            """);
        run.OrderedBy = "id";
        const string sql = "SELECT id, note FROM keyed ORDER BY id";
        var alone = await AloneAsync(sql);

        var (text, ranges) = await ReadAsync(sql);

        Assert.Equal(alone, text);
        Assert.True(areMade ? ranges is { By: "key", Count: > 2 } : ranges.By == "none", $"{ranges}");
    }

    [Theory]
    [InlineData("SELECT id, note FROM orders ORDER BY id LIMIT 30000", "id")]
    [InlineData("SELECT id, note FROM orders ORDER BY id DESC", "id")]
    [InlineData("SELECT id, note FROM orders ORDER BY note", "note")]
    [InlineData("SELECT id, note FROM orders ORDER BY lower(note)", null)]
    [InlineData("SELECT id, row_number() OVER (ORDER BY note) AS n FROM orders", null)]
    [InlineData("SELECT DISTINCT ON (id) id, note FROM orders ORDER BY id", "id")]
    [InlineData(
        "SELECT id, (SELECT o.note FROM orders o WHERE o.id > q.id LIMIT 1) IS NULL AS last FROM orders q WHERE id < 20", null)]
    [InlineData("SELECT id, note FROM orders WHERE now() > '2020-01-01'", null)]
    [InlineData("SELECT id, current_user = '' AS mine FROM orders", null)]
    [InlineData("SELECT id, current_setting('TimeZone') AS zone FROM orders", null)]
    [InlineData("SELECT id, random() < 2 AS sure FROM orders", null)]
    [InlineData("SELECT id, 'today'::date > '2020-01-01' AS sure FROM orders", null)]
    [InlineData("SELECT id, unknown_yet(id) AS sure FROM orders", null)]
    [InlineData("SELECT id, sure FROM stamped", null)]
    [InlineData("SELECT id, note FROM (SELECT * FROM orders OFFSET 0) q", null)]
    [InlineData("WITH w AS MATERIALIZED (SELECT * FROM orders) SELECT id, note FROM w", null)]
    [InlineData("SELECT id, note FROM orders TABLESAMPLE SYSTEM (100)", null)]
    [InlineData("SELECT id, note FROM heirs", null)]
    [InlineData("SELECT id, note FROM unindexed", null)]
    [InlineData("SELECT id, note FROM scattered", null)]
    [InlineData("SELECT id, note FROM small", null)]
    [InlineData("SELECT id + 0 AS id, note FROM orders", null)]
    [InlineData("SELECT id, note FROM orders WHERE id < 200", null)]
    public async Task Are_not_made_of_what_may_differ_between_sessions_or_would_not_pay(string sql, string? orderedBy)
    {
        await run.ExecuteAsync($"""
            CREATE FUNCTION unknown_yet(id bigint) RETURNS boolean STABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
            CREATE VIEW stamped AS SELECT id, now() > '2020-01-01' AS sure FROM orders;
            CREATE TABLE heirs (LIKE orders INCLUDING ALL);
            INSERT INTO heirs SELECT * FROM orders;
            CREATE TABLE heirs_more () INHERITS (heirs);
            CREATE TABLE unindexed AS SELECT * FROM orders;
            CREATE TABLE scattered (LIKE orders INCLUDING ALL);
            INSERT INTO scattered SELECT * FROM orders ORDER BY md5(id::text);
            CREATE TABLE small AS SELECT * FROM orders WHERE id < 100;
            CREATE UNIQUE INDEX ON small (id);
            ANALYZE;
            """);
        (run.OrderedBy, run.TrustsKey) = (orderedBy, true);

        Assert.Equal(new ExportRanges("none", 1), (await ReadAsync(sql)).Ranges);
    }

    [Fact]
    public async Task May_be_of_partitions_and_of_several_tables()
    {
        await run.ExecuteAsync($"""
            CREATE TABLE parts (note text, id bigint PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (1) TO (15000);
            CREATE TABLE "Parts, high" (id bigint NOT NULL, note text);
            ALTER TABLE parts ATTACH PARTITION "Parts, high" FOR VALUES FROM (15000) TO (50000);
            INSERT INTO parts SELECT note, id FROM orders;
            CREATE TABLE codes (code text PRIMARY KEY, name text);
            INSERT INTO codes SELECT 'g' || g, 'name ' || g FROM generate_series(1, 90) g;
            ANALYZE;
            """);
        (run.OrderedBy, run.TrustsKey) = ("id", true);
        foreach (var sql in (string[])
            [
                "SELECT id, note FROM parts ORDER BY id",
                "SELECT o.id, c.name FROM orders o LEFT JOIN codes c ON c.code = o.code ORDER BY id",
            ])
        {
            var alone = await AloneAsync(sql);
            var (text, ranges) = await ReadAsync(sql);
            Assert.Equal(alone, text);
            Assert.True(ranges is { By: "key", Count: > 2 }, $"{sql}: {ranges}");
        }
    }

    [Fact]
    public async Task Without_records_have_no_file_and_all_together_one()
    {
        const string some = "SELECT id, note FROM orders WHERE id % 40000 < 2000 ORDER BY id";
        run.OrderedBy = "id";
        var alone = await AloneAsync(some);

        var (text, ranges) = await ReadAsync(some);
        Assert.Equal(alone, text);
        Assert.True(ranges is { By: "key", Count: > 4 }, $"{ranges}");
        Assert.Contains("part-0001-00001.csv.gz", run.Staged.Complete.Keys);
        Assert.DoesNotContain("part-0003-00001.csv.gz", run.Staged.Complete.Keys);

        (text, ranges) = await ReadAsync("SELECT id, note FROM orders WHERE id % 40000 > 50000 ORDER BY id");
        Assert.Equal(("", "key"), (text, ranges.By));
        Assert.Equal(["part-00001.csv.gz", "part-00001.index.json"], run.Staged.Complete.Keys.Order());
    }

    [Fact]
    public async Task Of_keys_that_crowd_have_all_of_them()
    {
        await run.ExecuteAsync("""
            UPDATE orders SET id = id * 100000000000 WHERE id > 39000;
            INSERT INTO orders SELECT -g * 1000000, repeat('x', 100) FROM generate_series(1, 50) g;
            ANALYZE orders;
            """);
        run.OrderedBy = "id";
        var alone = await AloneAsync(Ordered);

        var (text, ranges) = await ReadAsync(Ordered);

        Assert.Equal(alone, text);
        Assert.True(ranges is { By: "key", Count: > 4 }, $"{ranges}");
    }

    [Fact]
    public async Task Are_of_one_snapshot_whatever_is_written_meanwhile()
    {
        run.OrderedBy = "id";
        var alone = await AloneAsync(Ordered);
        var writes = 0;
        run.Staged = new StagedObjects
        {
            BeforeWrite = async (_, _) =>
            {
                if (Interlocked.Increment(ref writes) == 2)
                    await run.ExecuteAsync($"""
                        UPDATE orders SET id = id + 1000000, note = 'moved' WHERE id % 5 = 0;
                        DELETE FROM orders WHERE id % 11 = 0;
                        INSERT INTO orders SELECT {Row} FROM generate_series(100000, 110000) g;
                        """);
            },
        };

        var batch = await run.ExportAsync(Ordered);

        Assert.Equal(alone, run.Check(batch, "id,note\n"));
        Assert.Equal("key", batch.Ranges!.By);
        Assert.True(writes > 2);
    }

    [Theory]
    [InlineData("UPDATE orders SET id = NULL WHERE id = 30001", "key_null", "A record has no key.")]
    [InlineData(
        "UPDATE orders SET id = 30001 WHERE id = 30000", "key_not_unique", "A record has the key of the record before it.")]
    public async Task Find_keys_that_are_missing_or_come_twice(string change, string code, string message)
    {
        await run.ExecuteAsync("ALTER TABLE orders DROP CONSTRAINT orders_pkey; ALTER TABLE orders ALTER id DROP NOT NULL; "
            + $"CREATE INDEX ON orders (id); {change}; ANALYZE orders");
        run.OrderedBy = "id";

        var refusal = await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(Ordered));

        Assert.Equal("key", run.Meter.Ranges?.By);
        Assert.Equal((code, message), (refusal.Code, refusal.Message));
        Assert.Equal(0, run.Staged.Open);
    }

    [Theory]
    [InlineData(true, "query LIKE 'COPY%'")]
    [InlineData(true, "query NOT LIKE 'COPY%'")]
    [InlineData(false, "query LIKE 'COPY%'")]
    [InlineData(false, "query NOT LIKE 'COPY%'")]
    public async Task End_as_a_whole_where_one_session_is_lost(bool isTable, string session)
    {
        run.OrderedBy = isTable ? null : "id";
        run.Table = isTable ? TableQuery.Of("orders", ["id", "note"], null) : null;
        var (writes, lost) = (0, 0L);
        run.Staged = new StagedObjects
        {
            BeforeWrite = async (_, token) =>
            {
                if (Interlocked.Increment(ref writes) != 2)
                    return;
                await using var command = run.Source.CreateCommand($"""
                    SELECT count(pg_terminate_backend(pid))
                      FROM (SELECT pid FROM pg_stat_activity
                             WHERE datname = current_database() AND application_name = 'claimcheck export'
                               AND pid <> pg_backend_pid() AND {session}
                             LIMIT 1) one
                    """);
                lost = (long)(await command.ExecuteScalarAsync(token))!;
            },
        };

        var failure = await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(run.Table?.Sql ?? Ordered));

        Assert.Equal((1, isTable ? "ctid" : "key"), (lost, run.Meter.Ranges?.By));
        Assert.True(failure.IsTransient, failure.Message);
        Assert.Equal(0, run.Staged.Open);
    }

    private async Task<string> AloneAsync(string sql)
    {
        var options = run.Options;
        run.Options = new ExportingOptions { Connections = 1, BypassRecords = 0 };
        var text = await run.TextAsync(sql);
        Assert.Equal(new ExportRanges("none", 1), run.Meter.Ranges);
        run.Options = options;
        return text;
    }

    private async Task<(string Text, ExportRanges Ranges)> ReadAsync(string sql)
    {
        var text = await run.TextAsync(sql);
        return (text, run.Meter.Ranges!);
    }

    private static string Sorted(string text, string like) =>
        text.Split('\n').Order(StringComparer.Ordinal).SequenceEqual(like.Split('\n').Order(StringComparer.Ordinal))
            ? like
            : text;
}
