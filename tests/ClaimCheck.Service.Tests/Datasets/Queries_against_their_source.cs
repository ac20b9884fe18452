using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

/// <summary>What a source says of a dataset's query, without running it.</summary>
public sealed class Queries_against_their_source : IAsyncLifetime, IAsyncDisposable
{
    private const string Definition = """{ "source": "shop", "key": "id" }""";
    private readonly DatasetScene scene = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await scene.DisposeAsync();

    ValueTask IAsyncDisposable.DisposeAsync() => scene.DisposeAsync();

    [Theory]
    [InlineData("select 1 as id, 2 as a, 3 as a", "sql: two columns of its query are named a: rename one with AS.")]
    [InlineData("select 1 as \"ID\", 2 as a", "json:1: its key is id, but its query has only ID, a.")]
    [InlineData("select '{}'::jsonb as id", "json:1: its key id is of type jsonb, whose values can't name a record.")]
    [InlineData("select '{}'::int[] as id", "json:1: its key id is of type integer[], whose values can't name a record.")]
    [InlineData(
        "select id from no_such_table", "sql:1: shop refuses the query: relation \"no_such_table\" does not exist (42P01).")]
    [InlineData("select 1 as id\nfrom", "sql:2: shop refuses the query: syntax error at end of input (42601).")]
    [InlineData("select 1 as id, a.n as \"N\"\nfrom generate_series(1, 3) as a(n)\nwhere a.m = 1",
        "sql:3: shop refuses the query: column a.m does not exist (42703).")]
    [InlineData("with x as (insert into t values (1) returning id) select id from x",
        "sql: its query writes (INSERT in t), but a source is only read.")]
    [InlineData("with x as (delete from t returning id) select 1 as id",
        "sql: its query writes (DELETE in t), but a source is only read.")]
    [InlineData("with x as (select 1 as id) update t set id = x.id from x returning t.id",
        "sql: its query writes (UPDATE in t), but a source is only read.")]
    [InlineData("select id from t for update",
        "sql: its query locks rows (FOR UPDATE or FOR SHARE), but a source is only read: leave that out.")]
    [InlineData("select id from (select id from t for share) u",
        "sql: its query locks rows (FOR UPDATE or FOR SHARE), but a source is only read: leave that out.")]
    [InlineData("select id into u from t", "sql: its query creates a table (SELECT INTO), but a source is only read.")]
    [InlineData("select nextval('s') as id", "sql: its query calls nextval, which writes, but a source is only read.")]
    [InlineData("select id, pg_catalog.\"setval\"('s', 1) as x from t",
        "sql: its query calls setval, which writes, but a source is only read.")]
    [InlineData("select id from numbered", "sql: its query calls nextval, which writes, but a source is only read.")]
    [InlineData("select * from (values (1), (nextval ('s'))) v (id)",
        "sql: its query calls nextval, which writes, but a source is only read.")]
    [InlineData(
        "select id, lo_create(0) as x from t", "sql: its query calls lo_create, which writes, but a source is only read.")]
    public async Task A_query_that_does_not_fit_its_source_makes_it_unavailable(string sql, string reason)
    {
        scene.With("ConnectionStrings:shop", await ShopAsync()).Define("orders", Definition, sql)
            .Define("other", Definition, "select 1 as id");

        var catalog = await scene.LoadAsync();

        var detail = $"datasets/orders.{reason}";
        Assert.Equal(
            new("definition_invalid", detail), (await catalog.Find("orders")!.ProbeAsync(CancellationToken.None)).Unavailable);
        Assert.Equal(
            new("definition_invalid", detail), (await catalog.Find("orders")!.FreezeAsync(CancellationToken.None)).Unavailable);
        Assert.Equal([$"Error: Dataset orders is unavailable: {detail}"], scene.Logged.Where(
            line => line.StartsWith("Error", StringComparison.Ordinal)));
        Assert.NotNull((await catalog.Find("other")!.FreezeAsync(CancellationToken.None)).Frozen);
    }

    [Theory]
    [InlineData("select 1 as id, 'nextval(' as x, 'for update' as \"into\"")]
    [InlineData("select id, mine.nextval(1) as x from t")]
    [InlineData("select id, pg_advisory_xact_lock(1)::text as x, txid_current() as y, random() as z from t")]
    [InlineData("select id from t where id = (select last_value from s)")]
    [InlineData("select 1 / nullif(0, 0) as id")]
    [InlineData("select 1 as id, array_fill(1, array[5000000]) as many")]
    [InlineData("select 1 as id, mine.slow() as x")]
    [InlineData("select 1 as id where mine.given(:a) = 1")]
    public async Task A_query_that_only_reads_is_taken(string sql)
    {
        var definition = sql.Contains(":a", StringComparison.Ordinal)
            ? Definition.Replace(" }", """, "parameters": { "a": { "type": "text" } } }""", StringComparison.Ordinal)
            : Definition;
        scene.With("ConnectionStrings:shop", await ShopAsync()).Define("orders", definition, sql);

        Assert.Null((await (await scene.LoadAsync()).Find("orders")!.ProbeAsync(CancellationToken.None)).Unavailable);
    }

    [Fact]
    public async Task A_table_that_may_not_be_read_is_found_before_an_export_is()
    {
        var shop = await ShopAsync();
        await Scene.SqlAsync(shop, "DO $$ BEGIN CREATE ROLE poor LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        scene.With("ConnectionStrings:shop", new NpgsqlConnectionStringBuilder(shop) { Username = "poor" }.ConnectionString)
            .Define("orders", Definition, "select id from t");

        Assert.Equal(
            "datasets/orders.sql: shop refuses the query: permission denied for table t (42501).",
            (await (await scene.LoadAsync()).Find("orders")!.ProbeAsync(CancellationToken.None)).Unavailable!.Detail);
    }

    [Fact]
    public async Task Many_datasets_of_one_source_leave_it_its_connections_and_one_that_hangs_spoils_no_other()
    {
        var shop = await ShopAsync();
        scene.With("ConnectionStrings:shop", shop).Define("locked", Definition, "select id from t");
        for (var i = 0; i < 40; i++)
            scene.Define($"many-{i:D2}", Definition, "select 1 as id");
        await using var holder = new NpgsqlConnection(shop);
        await holder.OpenAsync();
        await using var transaction = await holder.BeginTransactionAsync();
        await using (var alter = new NpgsqlCommand("ALTER TABLE t ADD COLUMN x int", holder, transaction))
            await alter.ExecuteNonQueryAsync();

        var catalog = await scene.LoadAsync();

        var unavailable = await Task.WhenAll(catalog.Current.All.Select(
            async dataset => (dataset.Name, await dataset.AskAsync(anew: false, CancellationToken.None))));
        Assert.Equal(
            [("locked", "source_unavailable")],
            unavailable.Where(one => one.Item2 is not null).Select(one => (one.Name, one.Item2!.Code)));
        await transaction.RollbackAsync();
        scene.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Null(await catalog.Find("locked")!.AskAsync(anew: false, CancellationToken.None));
    }

    internal static async Task<string> ShopAsync()
    {
        var shop = await PostgresServer.NewDatabaseAsync();
        await Scene.SqlAsync(
            shop,
            """
            CREATE SEQUENCE s; CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW numbered AS SELECT nextval('s') AS id;
            CREATE SCHEMA mine;
            CREATE FUNCTION mine.nextval(x int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN x; END';
            CREATE FUNCTION mine.given(x text) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
              IF x IS NULL THEN RAISE EXCEPTION 'must be given'; END IF; RETURN 1; END $$;
            CREATE FUNCTION mine.slow() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
              PERFORM pg_sleep(60); RETURN 1; END $$;
            """);
        return shop;
    }
}
