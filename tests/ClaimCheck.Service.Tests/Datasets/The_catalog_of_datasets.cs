using System.Net;
using System.Net.Sockets;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

public sealed class The_catalog_of_datasets : IAsyncLifetime, IAsyncDisposable
{
    private const string Definition = """{ "source": "shop", "key": "id" }""";
    private readonly DatasetScene scene = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await scene.DisposeAsync();

    ValueTask IAsyncDisposable.DisposeAsync() => scene.DisposeAsync();

    [Fact]
    public async Task Definitions_are_read_again_one_by_one()
    {
        scene.With("ConnectionStrings:shop", await Queries_against_their_source.ShopAsync())
            .Define("kept", Definition, "select 1 as id").Define("orders", Definition, "select id from t")
            .Define("removed", Definition, "select 1 as id");
        var catalog = await scene.LoadAsync();
        var (before, frozen) = (catalog.Current, (await catalog.Find("orders")!.FreezeAsync(CancellationToken.None)).Frozen!);
        Assert.Equal(["kept unchanged ", "orders unchanged ", "removed unchanged "], await ReloadAsync());

        scene.Define("orders", "{", null).Define("Added", Definition, "select 1 as id");
        File.Delete(Path.Combine(scene.Folder, "removed.sql"));
        File.Delete(Path.Combine(scene.Folder, "removed.json"));
        var broken = await ReloadAsync();

        Assert.Equal(
            ["Added added definition_invalid", "kept unchanged ", "orders changed definition_invalid", "removed removed "],
            broken);
        Assert.Null(catalog.Find("removed"));
        Assert.Same(before.Find("kept"), catalog.Find("kept"));
        // Running exports continue; and what was known of the dataset is still shown.
        Assert.Null(await before.Find("orders")!.AskAsync(anew: false, CancellationToken.None));
        Assert.Equal("select id from t", frozen.Sql);
        Assert.Equal("id", catalog.Find("orders")!.Definition!.Key);
        Assert.Equal(["id"], (await ProbeAsync(catalog)).Columns!.Select(column => column.Name));

        scene.Define("orders", Definition, "select id, 'x' as name from t");
        Assert.Equal("orders changed ", (await ReloadAsync())[2]);
        Assert.Single(scene.Logged, "Information: Dataset orders is available again.");

        await ExecuteAsync(scene.Configuration["ConnectionStrings:shop"]!, "ALTER TABLE t RENAME COLUMN id TO number");
        Assert.Equal("orders unchanged definition_invalid", (await ReloadAsync())[2]);
        Directory.Move(scene.Folder, scene.Folder + "-away");
        await Assert.ThrowsAsync<StartupException>(ReloadAsync);
        Assert.Equal(3, catalog.Current.All.Count);

        async Task<List<string>> ReloadAsync() =>
            [.. (await catalog.ReloadAsync(all: true, CancellationToken.None)).Select(item =>
            {
                Assert.Equal(item.Available, item.Unavailable is null && item.Change != "removed");
                return $"{item.Name} {item.Change} {item.Unavailable?.Code}";
            })];
    }

    [Fact]
    public async Task A_source_without_a_connection_string_makes_it_unavailable()
    {
        scene.Define("orders", Definition, "select 1 as id");

        var unavailable = (await ProbeAsync(await scene.LoadAsync())).Unavailable;

        Assert.Equal(
            "datasets/orders.json:1: source is shop, but ConnectionStrings:shop is not set: "
            + "set it (in the environment: ConnectionStrings__shop).",
            unavailable!.Detail);
    }

    [Fact]
    public async Task A_source_that_answers_and_refuses_is_not_told_as_one_that_is_away()
    {
        var server = new NpgsqlConnectionStringBuilder(await PostgresServer.NewDatabaseAsync()) { Database = "no_such_database" };
        scene.With("ConnectionStrings:shop", server.ConnectionString).Define("orders", Definition, "select 1 as id");

        var unavailable = (await ProbeAsync(await scene.LoadAsync())).Unavailable!;

        Assert.Equal("source_unavailable", unavailable.Code);
        Assert.StartsWith("The source shop refuses the service at present. ", unavailable.Detail, StringComparison.Ordinal);
        Assert.Equal(
            "Warning: Dataset orders is unavailable: its source shop answers, but refuses the service: database "
            + "\"no_such_database\" does not exist (3D000).",
            Assert.Single(scene.Logged, line => line.Contains("orders", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_definition_s_fault_is_told_once_in_the_file_and_line_where_it_is()
    {
        scene.With("ConnectionStrings:shop", await PostgresServer.NewDatabaseAsync()).Define(
            "orders", "{ \"source\": \"shop\",\n  \"title\": \"Orders\",\n  \"key\": \"nr\" }", "select 1 as id");

        var catalog = await scene.LoadAsync();
        await ProbeAsync(catalog);
        await catalog.ReloadAsync(all: true, CancellationToken.None);

        Assert.Equal(
            "Error: Dataset orders is unavailable: datasets/orders.json:3: its key is nr, but its query has only id.",
            Assert.Single(scene.Logged, line => line.Contains("orders", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("postgres://user:hunter2@host/db")]
    [InlineData("Host=x;Hunter2=1")]
    [InlineData("Host=x;Port=hunter2")]
    public async Task A_connection_string_that_can_not_be_read_makes_it_unavailable_without_being_quoted(string connectionString)
    {
        scene.With("ConnectionStrings:shop", connectionString).Define("orders", Definition, "select 1 as id");

        var unavailable = (await ProbeAsync(await scene.LoadAsync())).Unavailable!;

        Assert.StartsWith(
            "datasets/orders.json:1: ConnectionStrings:shop can't be read", unavailable.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "hunter2", string.Concat([unavailable.Detail, .. scene.Logged]), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Parameters_in_any_place_are_checked_as_typed_nulls()
    {
        scene.With("ConnectionStrings:shop", await PostgresServer.NewDatabaseAsync()).Define(
            "orders",
            """
            { "source": "shop", "key": "id", "parameters": {
                "a": { "type": "bigint" }, "b": { "type": "text[]" }, "c": { "type": "interval" }, "d": { "type": "jsonb" },
                "e": { "type": "double precision" }, "f": { "type": "timestamp[]" } } }
            """,
            "select 1 as id, now() - :c as x where:a>1 and 'x'=any(:b) and (:d->>'k')::int = 1 and :e::text > '' and "
            + "(:f)[1]<now() limit :a");

        Assert.True((await ProbeAsync(await scene.LoadAsync())).IsAvailable);
    }

    [Fact]
    public async Task An_export_keeps_the_dataset_as_it_was()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        await ExecuteAsync(database, "create table orders (id bigint primary key, name varchar(20))");
        scene.With("ConnectionStrings:shop", database).Define(
            "orders",
            """{ "source": "shop", "key": "id", "schemaVersion": 2, "parameters": { "z": { "type": "text" }, "a": { "type": "int" } } }""",
            "select name, id from orders where name > :z and id > :a order by id;");
        var catalog = await scene.LoadAsync();

        var (frozen, _) = await catalog.Find("orders")!.FreezeAsync(CancellationToken.None);

        Assert.NotNull(frozen);
        Assert.Equal(
            ("orders", "shop", "id", "id", 2), (frozen.Name, frozen.Source, frozen.Key, frozen.OrderedBy, frozen.SchemaVersion));
        Assert.Equal("select name, id from orders where name > :z and id > :a order by id", frozen.Sql);
        Assert.Equal([new("z", "text"), new("a", "integer")], frozen.Parameters);
        Assert.Equal([new Column("name", "character varying(20)", true), new Column("id", "bigint", false)], frozen.Columns);
        Assert.Equal(["orders"], catalog.Current.All.Select(dataset => dataset.Name));
        Assert.Null(catalog.Find("Orders"));
    }

    [Fact]
    public async Task A_source_that_is_away_makes_the_dataset_unavailable_and_not_the_service()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var here = new NpgsqlConnectionStringBuilder(database);
        var name = here.Database!;
        await RenameAsync(database, name, name + "_away");
        scene.With("ConnectionStrings:shop", database).Define("orders", Definition, "select 1 as id, 'x' as name");

        var catalog = await scene.LoadAsync();
        var away = await ProbeAsync(catalog);
        await ProbeAsync(catalog);
        Assert.Equal("source_unavailable", (await catalog.Find("orders")!.FreezeAsync(CancellationToken.None)).Unavailable!.Code);

        Assert.False(away.IsAvailable);
        Assert.Null(away.Columns);
        Assert.Single(scene.Logged, line => line.StartsWith("Warning: Dataset orders is unavailable", StringComparison.Ordinal));

        await RenameAsync(database, name + "_away", name);
        Assert.False((await ProbeAsync(catalog)).IsAvailable); // what is known is still fresh
        scene.Clock.Advance(TimeSpan.FromSeconds(6));
        var back = await ProbeAsync(catalog);

        Assert.True(back.IsAvailable);
        Assert.Equal(["id", "name"], back.Columns!.Select(column => column.Name));
        Assert.Single(
            scene.Logged, line => line.StartsWith("Information: Dataset orders is available", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_query_that_no_longer_fits_makes_the_dataset_unavailable_and_says_so_once()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        await ExecuteAsync(database, "create table orders (id bigint primary key)");
        scene.With("ConnectionStrings:shop", database).Define("orders", Definition, "select id from orders");
        var catalog = await scene.LoadAsync();
        await ExecuteAsync(database, "drop table orders");

        for (var i = 0; i < 3; i++)
        {
            scene.Clock.Advance(TimeSpan.FromSeconds(6));
            var gone = await ProbeAsync(catalog);
            Assert.False(gone.IsAvailable);
            Assert.Equal(["id"], gone.Columns!.Select(column => column.Name)); // as last seen
        }

        Assert.Single(scene.Logged, line => line.Contains("does not exist", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_source_that_accepts_and_says_nothing_does_not_hold_up_the_start()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        scene.With("ConnectionStrings:shop", $"Host=127.0.0.1;Port={port};Username=x;Database=x;Timeout=2")
            .Define("orders", Definition, "select 1 as id");

        var catalog = await scene.LoadAsync().WaitAsync(TimeSpan.FromMinutes(1));

        Assert.False((await ProbeAsync(catalog)).IsAvailable);
    }

    [Fact]
    public async Task A_caller_who_gives_up_does_not_spoil_the_answer_of_the_others()
    {
        scene.With("ConnectionStrings:shop", await PostgresServer.NewDatabaseAsync())
            .Define("orders", Definition, "select 1 as id");
        var catalog = await scene.LoadAsync();
        scene.Clock.Advance(TimeSpan.FromSeconds(6));
        using var given = new CancellationTokenSource();

        var first = catalog.Find("orders")!.ProbeAsync(given.Token);
        var second = ProbeAsync(catalog);
        await given.CancelAsync();

        Assert.True((await second).IsAvailable);
        _ = await Record.ExceptionAsync(() => first);
    }

    private static Task<DatasetAvailability> ProbeAsync(DatasetCatalog catalog) =>
        catalog.Find("orders")!.ProbeAsync(CancellationToken.None);

    private static Task RenameAsync(string database, string from, string to) => ExecuteAsync(
        new NpgsqlConnectionStringBuilder(database) { Database = "postgres" }.ConnectionString,
        $"ALTER DATABASE {from} RENAME TO {to}");

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
