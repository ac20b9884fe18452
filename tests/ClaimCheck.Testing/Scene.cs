using Npgsql;

namespace ClaimCheck.Testing;

/// <summary>
/// What a service under test stands on: a catalog and a source of its own on a real Postgres, a datasets folder, staging in a
/// local folder or in a bucket of a real S3 server. Any number of processes may share a scene.
/// </summary>
internal sealed class Scene : IAsyncDisposable
{
    private readonly List<ServiceProcess> services = [];
    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-scene-").FullName;

    private Scene(string catalog, string source) => (Catalog, Source) = (catalog, source);

    /// <summary>Connection strings.</summary>
    public string Catalog { get; }

    public string Source { get; }

    public string DataDirectory => Path.Combine(folder, "data");

    public string Datasets => Path.Combine(folder, "datasets");

    /// <summary>Where the folder staging keeps its files.</summary>
    public string Staging => Path.Combine(DataDirectory, "staging");

    /// <summary>The bucket, where the scene has one.</summary>
    public string? Bucket { get; private set; }

    /// <summary>What every process of this scene is started with.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// A source with a table <c>items (id bigint primary key, name text)</c> and the dataset <c>items</c> in key order; and the
    /// dataset <c>slow</c>, the same rows with a pause of about a millisecond each.
    /// </summary>
    /// <param name="items">Rows of the table.</param>
    /// <param name="onS3">Staging in a new bucket of the S3 test server, instead of a folder.</param>
    /// <param name="s3">Another address of that server, such as a proxy's.</param>
    public static async Task<Scene> CreateAsync(int items = 1000, bool onS3 = false, Uri? s3 = null)
    {
        var scene = new Scene(await PostgresServer.NewDatabaseAsync(), await PostgresServer.NewDatabaseAsync());
        Directory.CreateDirectory(scene.Datasets);
        await SqlAsync(
            scene.Source,
            $"""
            CREATE TABLE items (id bigint PRIMARY KEY, name text);
            INSERT INTO items
            SELECT g, CASE g % 7 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a "quoted", ' || g || E'\nline' ELSE 'item ' || g || ' é😀' END
              FROM generate_series(1, {items}) g;
            ANALYZE items;
            """);
        scene.AddDataset("items", "SELECT id, name FROM items WHERE (:least IS NULL OR id >= :least) ORDER BY id",
            """, "parameters": { "least": { "type": "bigint", "required": false } }""");
        scene.AddDataset(
            "slow", "SELECT i.id, i.name FROM items i, LATERAL (SELECT pg_sleep(0.001 + 0 * i.id)) pause ORDER BY id");
        scene.Settings["ConnectionStrings__Catalog"] = scene.Catalog;
        scene.Settings["ConnectionStrings__source"] = scene.Source;
        scene.Settings["ClaimCheck__Datasets"] = scene.Datasets;
        scene.Settings["ClaimCheck__DataDirectory"] = scene.DataDirectory;
        if (onS3 || s3 is not null)
            await scene.StageOnS3Async(s3);
        return scene;
    }

    /// <summary>Defines a dataset with the key <c>id</c>, for processes started from now on.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="sql">Its query.</param>
    /// <param name="more">More of its JSON, beginning with a comma.</param>
    public void AddDataset(string name, string sql, string more = "")
    {
        File.WriteAllText(Path.Combine(Datasets, name + ".json"), $$"""{ "source": "source", "key": "id"{{more}} }""");
        File.WriteAllText(Path.Combine(Datasets, name + ".sql"), sql);
    }

    /// <summary>Starts a process over this scene. Stopped with the scene.</summary>
    public async Task<ServiceProcess> StartServiceAsync(params (string Name, string Value)[] more)
    {
        var settings = new Dictionary<string, string>(Settings, StringComparer.Ordinal);
        foreach (var (name, value) in more)
            settings[name] = value;
        var service = await ServiceProcess.StartAsync(settings);
        services.Add(service);
        return service;
    }

    public static async Task SqlAsync(string connectionString, string sql, TimeSpan? atMost = null)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
#pragma warning disable CA2100 // The tests' own text.
        await using var command =
            new NpgsqlCommand(sql, connection) { CommandTimeout = (int)(atMost ?? TimeSpan.FromMinutes(2)).TotalSeconds };
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<T?> ScalarAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
#pragma warning disable CA2100 // The tests' own text.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in services)
            await service.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task StageOnS3Async(Uri? address)
    {
        var server = await S3Endpoint.GetAsync();
        Bucket = await server.NewBucketAsync();
        foreach (var (name, value) in server.Environment)
            Settings[name] = value;
        if (address is not null)
            Settings["AWS_ENDPOINT_URL_S3"] = address.GetLeftPart(UriPartial.Authority);
        Settings["ClaimCheck__Staging__Bucket"] = Bucket;
    }
}
