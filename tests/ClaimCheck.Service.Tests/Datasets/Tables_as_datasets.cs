using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Datasets;

/// <summary>A definition that names a table needs no query beside it.</summary>
public sealed class Tables_as_datasets : IAsyncLifetime, IAsyncDisposable
{
    private const string Schema = """
        CREATE SCHEMA "Sales";
        CREATE TABLE "Sales"."Order lines" (id bigint PRIMARY KEY, "Note" text, status text, at timestamptz);
        CREATE VIEW lines AS SELECT * FROM "Sales"."Order lines";
        """;

    private readonly DatasetScene scene = new();
    private string shop = "";

    public async Task InitializeAsync()
    {
        shop = await PostgresServer.NewDatabaseAsync();
        await Scene.SqlAsync(shop, Schema);
        scene.With("ConnectionStrings:shop", shop);
    }

    public async Task DisposeAsync() => await scene.DisposeAsync();

    ValueTask IAsyncDisposable.DisposeAsync() => scene.DisposeAsync();

    [Theory]
    [InlineData(""" "table": "\"Sales\".\"Order lines\"" """, "id, Note, status, at")]
    [InlineData(""" "table": "\"Sales\".\"Order lines\"", "select": ["Note", "id"] """, "Note, id")]
    [InlineData(""" "table": "lines", "where": "status = :status OR :status IS NULL -- of all" """, "id, Note, status, at")]
    [InlineData(""" "table": "public.lines", "where": "coalesce(status, '') IN (:status, 'a;b)')" """, "id, Note, status, at")]
    public async Task Have_the_columns_that_were_selected(string table, string columns)
    {
        Define(table);

        var (frozen, unavailable) = await (await scene.LoadAsync()).Find("orders")!.FreezeAsync(CancellationToken.None);

        Assert.Null(unavailable);
        Assert.Equal(columns, string.Join(", ", frozen!.Columns.Select(column => column.Name)));
        Assert.NotNull(frozen.Table);
        Assert.Null(frozen.OrderedBy);
    }

    [Theory]
    [InlineData(""" "table": "nowhere" """, "shop refuses the query: relation \"nowhere\" does not exist (42P01).")]
    [InlineData(
        """ "table": "lines", "select": ["id", "note"] """, "shop refuses the query: column \"note\" does not exist (42703).")]
    [InlineData(""" "table": "lines", "select": ["Note"] """, "its key is id, but its query has only Note.")]
    [InlineData(""" "table": "lines", "where": "status" """,
        "shop refuses the query: argument of WHERE must be type boolean, not type text (42804).")]
    [InlineData(""" "table": "lines; DROP TABLE lines" """, "table is lines; DROP TABLE lines, but must be the name of a table")]
    [InlineData(""" "table": "(SELECT 1) x" """, "table is (SELECT 1) x, but must be the name of a table")]
    [InlineData(""" "table": "lines", "where": "" """, "where must be text that is not empty")]
    [InlineData(""" "table": "lines", "where": "-- all" """, "where is empty")]
    [InlineData(""" "table": "lines", "where": "true) OR (true" """, "where can't be read: a ')' closes nothing")]
    [InlineData(""" "table": "lines", "where": "(true" """, "where can't be read: a '(' is never closed")]
    [InlineData(""" "table": "lines", "where": "true; SELECT 1" """, "where has a semicolon, but must be one condition")]
    [InlineData(""" "table": "lines", "where": "status = 'a" """, "where can't be read: a string is never closed")]
    [InlineData(""" "table": "lines", "select": [] """, "select must be a list of columns' names")]
    [InlineData(""" "table": "lines", "select": ["id", "id"] """, "select names a column twice")]
    [InlineData(""" "where": "true" """, "select and where are parts of a table: name it in the field table")]
    [InlineData(
        """ "title": "Orders" """, "orders.sql is missing: put the dataset's query there, or name its table in the field table")]
    public async Task Tell_what_is_wrong_with_them_at_the_definition(string table, string reason)
    {
        Define(table);

        var unavailable = (await (await scene.LoadAsync()).Find("orders")!.ProbeAsync(CancellationToken.None)).Unavailable!;

        Assert.Equal("definition_invalid", unavailable.Code);
        Assert.Matches($@"^datasets/orders\.json(:\d+)?: ", unavailable.Detail);
        Assert.Contains(reason, unavailable.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stand_alone_and_are_seen_when_they_change()
    {
        Define(""" "table": "lines" """);
        scene.Define("orders", null, "SELECT 1 AS id");
        var catalog = await scene.LoadAsync();
        Assert.Contains(
            "table is given, and orders.sql is beside it: remove one of them",
            (await catalog.Find("orders")!.ProbeAsync(CancellationToken.None)).Unavailable!.Detail, StringComparison.Ordinal);

        File.Delete(Path.Combine(scene.Folder, "orders.sql"));
        await catalog.ReloadAsync(all: false, CancellationToken.None);

        Assert.Null((await catalog.Find("orders")!.ProbeAsync(CancellationToken.None)).Unavailable);
    }

    private void Define(string table)
    {
        var parameters = table.Contains(":status", StringComparison.Ordinal)
            ? """ "parameters": { "status": { "type": "text", "required": false } }, """
            : "";
        scene.Define("orders", $$"""{ "source": "shop", "key": "id", {{parameters}} {{table}} }""", null);
    }
}
