using System.Net;
using System.Net.Sockets;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Datasets;

public sealed class DatasetCatalogTests : IAsyncLifetime, IAsyncDisposable
{
    private const string Definition = """{ "source": "shop", "key": "id" }""";
    private readonly DatasetScene scene = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await scene.DisposeAsync();

    ValueTask IAsyncDisposable.DisposeAsync() => scene.DisposeAsync();

    [Theory]
    [InlineData("select 1 as id, 2 as a, 3 as a", "two columns of its query are named a: rename one with AS.")]
    [InlineData("select 1 as \"ID\", 2 as a", "its key is id, but its query has only ID, a.")]
    [InlineData("select '{}'::jsonb as id", "its key id is of type jsonb, whose values can't name a record.")]
    [InlineData("select '{}'::int[] as id", "its key id is of type integer[], whose values can't name a record.")]
    [InlineData("select id from no_such_table", "shop refuses the query: relation \"no_such_table\" does not exist (42P01).")]
    [InlineData("select 1 as id from", "shop refuses the query: syntax error at end of input (42601).")]
    public async Task A_query_that_does_not_fit_its_source_stops_the_start(string sql, string reason)
    {
        scene.With("ConnectionStrings:shop", await PostgresServer.NewDatabaseAsync()).Define("orders", Definition, sql);

        var refusal = await Assert.ThrowsAsync<StartupException>(scene.LoadAsync);

        Assert.Equal($"datasets/orders.json: {reason}", refusal.Message);
    }

    [Fact]
    public async Task A_source_without_a_connection_string_stops_the_start()
    {
        scene.Define("orders", Definition, "select 1 as id");

        var refusal = await Assert.ThrowsAsync<StartupException>(scene.LoadAsync);

        Assert.Equal(
            "datasets/orders.json: source is shop, but ConnectionStrings:shop is not set: "
            + "set it (in the environment: ConnectionStrings__shop).",
            refusal.Message);
    }

    [Theory]
    [InlineData("postgres://user:hunter2@host/db")]
    [InlineData("Host=x;Hunter2=1")]
    [InlineData("Host=x;Port=hunter2")]
    public async Task A_connection_string_that_can_not_be_read_stops_the_start_without_being_quoted(string connectionString)
    {
        scene.With("ConnectionStrings:shop", connectionString).Define("orders", Definition, "select 1 as id");

        var refusal = await Assert.ThrowsAsync<StartupException>(scene.LoadAsync);

        Assert.StartsWith("datasets/orders.json: ConnectionStrings:shop can't be read", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refusal.ToString(), StringComparison.OrdinalIgnoreCase);
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
            "select 1 as id, now() - :c as x where:a>1 and 'x'=any(:b) and (:d->>'k')::int = 1 and :e::text > '' and (:f)[1]<now() limit :a");

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

        var frozen = await catalog.FreezeAsync(catalog.Find("orders")!, CancellationToken.None);

        Assert.NotNull(frozen);
        Assert.Equal(("orders", "shop", "id", "id", 2), (frozen.Name, frozen.Source, frozen.Key, frozen.OrderedBy, frozen.SchemaVersion));
        Assert.Equal("select name, id from orders where name > :z and id > :a order by id", frozen.Sql);
        Assert.Equal([new("z", "text"), new("a", "integer")], frozen.Parameters);
        Assert.Equal([new Column("name", "character varying(20)", true), new Column("id", "bigint", false)], frozen.Columns);
        Assert.Equal(["orders"], catalog.All.Select(dataset => dataset.Name));
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
        Assert.Null(await catalog.FreezeAsync(catalog.Find("orders")!, CancellationToken.None));

        Assert.False(away.IsAvailable);
        Assert.Null(away.Columns);
        Assert.Single(scene.Logged, line => line.StartsWith("Warning: Dataset orders is unavailable", StringComparison.Ordinal));

        await RenameAsync(database, name + "_away", name);
        Assert.False((await ProbeAsync(catalog)).IsAvailable); // what is known is still fresh
        scene.Clock.Advance(TimeSpan.FromSeconds(6));
        var back = await ProbeAsync(catalog);

        Assert.True(back.IsAvailable);
        Assert.Equal(["id", "name"], back.Columns!.Select(column => column.Name));
        Assert.Single(scene.Logged, line => line.StartsWith("Information: Dataset orders is available", StringComparison.Ordinal));
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
        scene.With("ConnectionStrings:shop", $"Host=127.0.0.1;Port={port};Username=x;Database=x;Timeout=2").Define("orders", Definition, "select 1 as id");

        var catalog = await scene.LoadAsync().WaitAsync(TimeSpan.FromMinutes(1));

        Assert.False((await ProbeAsync(catalog)).IsAvailable);
    }

    [Fact]
    public async Task A_caller_who_gives_up_does_not_spoil_the_answer_of_the_others()
    {
        scene.With("ConnectionStrings:shop", await PostgresServer.NewDatabaseAsync()).Define("orders", Definition, "select 1 as id");
        var catalog = await scene.LoadAsync();
        scene.Clock.Advance(TimeSpan.FromSeconds(6));
        using var given = new CancellationTokenSource();

        var first = catalog.ProbeAsync(catalog.Find("orders")!, given.Token);
        var second = ProbeAsync(catalog);
        await given.CancelAsync();

        Assert.True((await second).IsAvailable);
        _ = await Record.ExceptionAsync(() => first);
    }

    private static Task<DatasetAvailability> ProbeAsync(DatasetCatalog catalog) =>
        catalog.ProbeAsync(catalog.Find("orders")!, CancellationToken.None);

    private static Task RenameAsync(string database, string from, string to) => ExecuteAsync(
        new NpgsqlConnectionStringBuilder(database) { Database = "postgres" }.ConnectionString, $"ALTER DATABASE {from} RENAME TO {to}");

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
