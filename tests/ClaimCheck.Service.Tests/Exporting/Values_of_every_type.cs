using System.Buffers;
using System.Text;
using System.Text.Json;
using ClaimCheck.Service.Batches;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.Tests.Exporting;

/// <summary>Every type that a column can have, as the catalog of the database lists them: whatever a database defines
/// can be exported.</summary>
public sealed class Values_of_every_type
{
    private const string Own = """
        CREATE TYPE spans AS RANGE (SUBTYPE = text);
        CREATE TYPE mood AS ENUM ('so "so"', 'glad');
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE DOMAIN pair AS positive[];
        CREATE DOMAIN span AS spans;
        CREATE DOMAIN pairs AS pair;
        CREATE TYPE inner_row AS (n positive, p pair, m mood, s spans);
        CREATE TYPE outer_row AS (r inner_row, rs inner_row[]);
        CREATE DOMAIN row_of AS outer_row;
        CREATE TYPE "odd ""name"" (1)" AS (x int);
        CREATE TABLE kept (id int, name text);
        CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext;
        """;

    // A literal that the type takes, tried out; arrays hold one and a NULL.
    private const string Samples = """
        CREATE FUNCTION sample(t oid) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE
          candidate text; found boolean; n int; y record;
        BEGIN
          SELECT * INTO y FROM pg_type WHERE oid = t;
          IF y.typoutput = 'array_out'::regproc AND y.typtype = 'b' THEN
            RETURN format('ARRAY[%s, NULL]::%s', coalesce(sample(y.typelem), 'NULL'), format_type(t, NULL));
          END IF;
          IF y.typtype = 'd' THEN
            candidate := format('(%s)::%s', coalesce(sample(y.typbasetype), 'NULL'), format_type(t, NULL));
            BEGIN
              EXECUTE 'SELECT ' || candidate;
              RETURN candidate;
            EXCEPTION WHEN OTHERS THEN
              RETURN NULL;
            END;
          END IF;
          n := (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = y.typrelid AND a.attnum > 0);
          FOREACH candidate IN ARRAY ARRAY['(' || repeat(',', greatest(n - 1, 0)) || ')', '1', 't', '{}', 'empty', '[a,"b,c")', '(1,2)', '<(1,1),2>', '((0,0),(1,1))', '[(0,0),(1,1)]', '{1,2,3}',
            '2024-01-02 03:04:05', '2024-01-02', '03:04', '1 day', '\x00ff', '192.168.0.0/24', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
            '11111111-2222-3333-4444-555555555555', '<a/>', '0/16B3748', '1:2:', 'postgres', 'pg_class', 'now()', '+', '+(int4,int4)', 'array_out', 'array_out(anyarray)', 'english', 'simple', 'so "so"', 'int4', 'public',
            '$.a', 'a => "b"', 'a & b', 'postgres=r/postgres', 'x, "y" ' || E'\n'] LOOP
            BEGIN
              EXECUTE format('SELECT format(''%%s'', %L::%s) IS NOT NULL', candidate, format_type(t, NULL)) INTO found;
              RETURN format('%L::%s', candidate, format_type(t, NULL));
            EXCEPTION WHEN OTHERS THEN
              NULL;
            END;
          END LOOP;
          RETURN NULL;
        END $$;
        """;

    private const string Types = """
        SELECT format_type(t.oid, NULL), sample(t.oid), t.typtype::text
          FROM pg_type t
         WHERE t.typisdefined AND t.typtype <> 'p' AND NOT (t.typtype = 'c' AND t.typnamespace IN ('information_schema'::regnamespace, 'pg_toast'::regnamespace))
         ORDER BY t.oid
        """;

    [Fact]
    public async Task Every_type_of_the_database_is_exported_in_both_formats_and_read_in_pages()
    {
        await using var run = await ExportRun.NewAsync(Own + Samples);
        var types = new List<(string Name, string? Value, string Kind)>();
        await using (var command = run.Source.CreateCommand(Types))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                types.Add((reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1), reader.GetString(2)));
        }

        Assert.True(types.Count > 300, $"{types.Count} types");
        // A few have no input at all; the rest has a value here.
        Assert.InRange(types.Count(type => type.Value is null), 0, 12);
        // What no column of a table can have, but a query's can.
        string[] others = ["ROW(1, 'a')", "ARRAY[ROW(1, 'a')]", "'x'", "pg_sleep(0)", "'x'::cstring", "NULL",
            "(SELECT histogram_bounds FROM pg_stats LIMIT 1)"];
        string[] expressions = [.. types.Select(type => type.Value ?? $"NULL::{type.Name}"),
            .. types.Select(type => $"NULL::{type.Name}"), .. others];

        foreach (var portion in expressions.Chunk(700))
        {
            var sql = "SELECT 1 AS id, " + string.Join(", ", portion.Select((expression, i) => $"{expression} AS c{i}"));
            var columns = await ColumnsAsync(run, sql);
            run.Format = "csv";
            var csv = await run.TextAsync(sql);
            run.Format = "ndjson";
            var json = await run.TextAsync(sql);

            await using var connection = await run.Source.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
            await ExportRun.Settings.ApplyAsync(connection, CancellationToken.None);
            // the types' own text
            await using var command = new Npgsql.NpgsqlCommand(sql, connection, transaction) { AllResultTypesAreUnknown = true };
            await using var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            var record = CsvText.Parse(csv)[0];
            for (var i = 0; i < record.Length; i++)
                Assert.Equal((columns[i].Type, reader.IsDBNull(i) ? null : reader.GetString(i)), (columns[i].Type, record[i]));

            using var document = JsonDocument.Parse(json);
            Assert.Equal(
                columns.Select(column => column.Name), document.RootElement.EnumerateObject().Select(property => property.Name));
            foreach (var (column, property) in columns.Zip(document.RootElement.EnumerateObject()))
            {
                Assert.True(
                    property.Value.ValueKind is JsonValueKind.Null
                    || property.Value.ValueKind == JsonValueKind.Array == column.Value.Element is not null
                    || JsonKinds.Of(column.Value) == JsonKind.Json,
                    $"{column.Type}: {property.Value.GetRawText()}");
            }

            var page = new ArrayBufferWriter<byte>();
            new CsvRecords([.. columns.Select(column => column.ToContract())], [.. columns.Select(column => column.Value)],
                CancellationToken.None)
                .Write(Encoding.UTF8.GetBytes(csv), skip: 0, take: 1, page, isFirst: true);
            Assert.Equal(json, Encoding.UTF8.GetString(page.WrittenSpan) + "\n");
        }
    }

    [Fact]
    public async Task Types_keep_the_names_and_modifiers_that_the_database_gives_them()
    {
        await using var run = await ExportRun.NewAsync(Own + "CREATE TABLE modified (id int, a interval day to second(3), b "
            + "varchar(3)[], c pair, d pair[], e spans, f numeric(5,2));");

        var columns = await ColumnsAsync(
            run, "SELECT m.*, '{}'::spans[] AS g, spanrange.* FROM modified m, (SELECT '{}'::outer_row[] AS h) spanrange");

        Assert.Equal(
            ["integer", "interval day to second(3)", "character varying(3)[]", "positive[]", "pair[]", "spans", "numeric(5,2)",
                "spans[]", "outer_row[]"],
            columns.Select(column => column.Type));
    }

    private static async Task<IReadOnlyList<ResultColumn>> ColumnsAsync(ExportRun run, string sql)
    {
        await using var session = await SourceSession.OpenAsync(() => run.Source, ExportRun.Settings, CancellationToken.None);
        var columns = await session.DescribeAsync(sql, CancellationToken.None);
        await using var connection = await run.Source.OpenConnectionAsync();
        Assert.Equal(await ResultShape.DescribeAsync(connection, sql, CancellationToken.None), columns);
        return columns;
    }
}
