using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Classes of this collection run one after another over the same two processes.</summary>
[CollectionDefinition(Name)]
public sealed class ApiTests : ICollectionFixture<ApiService>
{
    public const string Name = "api";
}

/// <summary>
/// Two real services, each on a catalog of its own: one that works, and one without a worker, where exports stay pending until
/// they are cancelled.
/// </summary>
public sealed class ApiService : IAsyncLifetime
{
    /// <summary>The working service, and what it stands on.</summary>
    internal ApiClient Http { get; private set; } = null!;

    internal Scene Scene { get; private set; } = null!;

    /// <summary>The service without a worker.</summary>
    internal ApiClient Idle { get; private set; } = null!;

    internal Scene IdleScene { get; private set; } = null!;

    /// <summary>The name of the database behind the dataset <c>shaky</c>.</summary>
    internal string ShakyDatabase { get; private set; } = "";

    public async Task InitializeAsync()
    {
        var shaky = await PostgresServer.NewDatabaseAsync();
        ShakyDatabase = new Npgsql.NpgsqlConnectionStringBuilder(shaky).Database!;
        Scene = await DefineAsync(shaky);
        IdleScene = await DefineAsync(shaky);
        var started = await Task.WhenAll(
            Scene.StartServiceAsync(("ClaimCheck__Exporting__Parallelism", "4")),
            IdleScene.StartServiceAsync(("ClaimCheck__Roles", "api")));
        Http = new(started[0].NewHttp());
        Idle = new(started[1].NewHttp());
    }

    public async Task DisposeAsync()
    {
        Http?.Dispose();
        Idle?.Dispose();
        await Scene.DisposeAsync();
        await IdleScene.DisposeAsync();
    }

    private static async Task<Scene> DefineAsync(string shaky)
    {
        var scene = await Scene.CreateAsync();
        scene.AddDataset("listed", "SELECT id, name FROM items ORDER BY id");
        scene.AddDataset("away", "SELECT 1 AS id");
        File.WriteAllText(Path.Combine(scene.Datasets, "away.json"), """{ "source": "away", "key": "id" }""");
        scene.Settings["ConnectionStrings__away"] = "Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=2";
        scene.AddDataset("shaky", "SELECT 1 AS id");
        File.WriteAllText(Path.Combine(scene.Datasets, "shaky.json"), """{ "source": "shaky", "key": "id" }""");
        scene.Settings["ConnectionStrings__shaky"] = shaky;
        // Until it is cancelled.
        scene.AddDataset("endless", "SELECT 1::bigint AS id FROM pg_sleep(600)");
        scene.AddDataset("broken", "SELECT id, (1 / (id - 500))::text AS name FROM items ORDER BY id");
        scene.AddDataset(
            "estimated", "SELECT id, name, 10 / coalesce(:by, 1) AS share FROM items ORDER BY id",
            """, "parameters": { "by": { "type": "int", "required": false } }""");
        scene.AddDataset(
            "big",
            "SELECT g AS id, repeat(md5(g::text), 8) AS name FROM generate_series(1::bigint, :rows) g ORDER BY id",
            """, "parameters": { "rows": { "type": "bigint" } }""");
        scene.AddDataset(
            "typed",
            "SELECT id, :text AS a, :number AS b, :flag AS c, :since AS d, :day AS e, :ids AS f, :doc AS g, :took AS h, :who AS "
            + "i FROM items ORDER BY id",
            """
            , "title": "Typed", "schemaVersion": 3, "linkLifetime": "PT2H", "retention": "P2D",
              "maxRecords": 2000, "maxBytes": 1099511627776,
              "parameters": { "text": { "type": "text", "required": false }, "number": { "type": "int", "required": false },
                "flag": { "type": "boolean", "required": false }, "since": { "type": "timestamptz", "required": false },
                "day": { "type": "date", "required": false }, "ids": { "type": "bigint[]", "required": false },
                "doc": { "type": "jsonb", "required": false }, "took": { "type": "interval", "required": false },
                "who": { "type": "uuid", "required": false } }
            """);
        return scene;
    }
}
