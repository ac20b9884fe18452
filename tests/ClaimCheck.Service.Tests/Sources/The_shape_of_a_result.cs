using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Exporting;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Sources;

public sealed class The_shape_of_a_result
{
    private const string Schema = """
        CREATE DOMAIN code AS varchar(8);
        CREATE DOMAIN pair AS int[];
        CREATE TABLE parents (id bigint PRIMARY KEY, name text NOT NULL, short character(3), price numeric(12,2) NOT NULL);
        CREATE TABLE children (id int, parent bigint);
        """;

    private const string EveryModifier =
        """
        SELECT 1::bigint AS a, 1::numeric AS b, 1::numeric(12,2) AS c, 'x'::character(3) AS d, 'x'::varchar(9) AS e, 'x'::text AS f,
               now() AS g, now()::timestamp(3) AS h, now()::timestamptz(0) AS i, '1 day'::interval AS j, '1 day'::interval(2) AS k,
               B'101'::bit(3) AS l, B'101'::bit varying(5) AS m, '{1}'::numeric(5,1)[] AS n, 'x'::code AS o, 'x' AS p, '{1}'::pair AS q,
               now()::time(1) AS r, '{}'::code[] AS s, '1 2'::int2vector AS t, '{(1,1),(0,0)}'::box[] AS u, ARRAY['{1}'::pair] AS v
        """;

    [Fact]
    public async Task An_export_sees_the_same_columns_as_the_dataset_did()
    {
        await using var source = await NewSourceAsync();
        await using var connection = await source.OpenConnectionAsync();
        await using var session = await SourceSession.OpenAsync(() => source, ExportRun.Settings, CancellationToken.None);
        const string arrays =
            "SELECT '{}'::varchar(3)[] AS a, '{}'::bit(3)[] AS b, '{}'::timestamptz(2)[] AS c, '{}'::interval(1)[] AS d";

        foreach (var sql in new[] { EveryModifier, arrays, "SELECT * FROM parents" })
        {
            Assert.Equal(
                await ResultShape.DescribeAsync(connection, sql, CancellationToken.None),
                await session.DescribeAsync(sql, CancellationToken.None));
        }
    }

    [Fact]
    public async Task Types_are_written_as_the_database_writes_them()
    {
        await using var source = await NewSourceAsync();
        await using var connection = await source.OpenConnectionAsync();

        var columns = await ResultShape.DescribeAsync(
            connection,
            EveryModifier,
            CancellationToken.None);

        Assert.Equal(
            [
                "bigint", "numeric", "numeric(12,2)", "character(3)", "character varying(9)", "text",
                "timestamp with time zone", "timestamp(3) without time zone", "timestamp(0) with time zone", "interval",
                "interval(2)",
                "bit(3)", "bit varying(5)", "numeric(5,1)[]", "character varying(8)", "text", "integer[]",
                "time(1) without time zone", "code[]", "int2vector", "box[]", "pair[]",
            ],
            columns.Select(column => column.Type));
        Assert.Equal("abcdefghijklmnopqrstuv", string.Concat(columns.Select(column => column.Name)));
        Assert.All(columns, column => Assert.True(column.Nullable));
        Assert.Null(columns[19].Value.Element);
        Assert.Equal(';', columns[20].Value.Delimiter);
        Assert.Equal(23u, columns[21].Value.Element!.Element!.Oid);
        Assert.Equal(1043u, columns[18].Value.Element!.Oid);
    }

    [Fact]
    public async Task A_column_is_not_nullable_only_where_the_table_promises_it_and_no_join_can_break_it()
    {
        await using var source = await NewSourceAsync();
        await using var connection = await source.OpenConnectionAsync();

        Assert.Equal("id=False name=False short=True price=False", await Describe("SELECT * FROM parents"));
        Assert.Equal("id=False x=True", await Describe("SELECT id, name || '' AS x FROM parents WHERE id > 0 ORDER BY id"));
        Assert.Equal("id=True", await Describe("SELECT p.id FROM children c LEFT JOIN parents p ON p.id = c.parent"));
        Assert.Equal("id=True", await Describe("SELECT id FROM parents GROUP BY rollup (id)"));

        async Task<string> Describe(string sql) => string.Join(' ',
            (await ResultShape.DescribeAsync(connection, sql, CancellationToken.None)).Select(
                column => $"{column.Name}={column.Nullable}"));
    }

    [Fact]
    public async Task Describing_does_not_run_the_query()
    {
        await using var source = await NewSourceAsync();
        await using var connection = await source.OpenConnectionAsync();

        var columns = await ResultShape.DescribeAsync(
            connection, "SELECT 1 / (random() * 0)::int AS never, ':x; @y' AS said", CancellationToken.None);

        Assert.Equal(["never", "said"], columns.Select(column => column.Name));
    }

    private static async Task<NpgsqlDataSource> NewSourceAsync()
    {
        var source = NpgsqlDataSource.Create(await PostgresServer.NewDatabaseAsync());
        await using var command = source.CreateCommand(Schema);
        await command.ExecuteNonQueryAsync();
        return source;
    }
}
