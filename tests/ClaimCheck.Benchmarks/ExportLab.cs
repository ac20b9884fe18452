using System.Diagnostics;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Testing;
using Npgsql;
using Spectre.Console;

namespace ClaimCheck.Benchmarks;

/// <summary>A table of orders on a private Postgres, a service over it with staging in a local folder, and
/// psql beside it.</summary>
internal sealed class ExportLab : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-bench-").FullName;
    private readonly string source;
    private readonly string catalog;

    private ExportLab(string source, string catalog) => (this.source, this.catalog) = (source, catalog);

    /// <summary>The database with the orders.</summary>
    public string Source => source;

    public string File => Path.Combine(folder, "peer.out");

    public static async Task<ExportLab> CreateAsync(long orders)
    {
        var lab = new ExportLab(await PostgresServer.NewDatabaseAsync(), await PostgresServer.NewDatabaseAsync());
        AnsiConsole.MarkupLineInterpolated($"[grey]Making {orders:N0} orders…[/]");
        await using var connection = new NpgsqlConnection(lab.source);
        await connection.OpenAsync();
        foreach (var sql in new[] { SampleOrders.Script(orders), "VACUUM (FREEZE, ANALYZE) orders" })
        {
#pragma warning disable CA2100 // The sample's own script.
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync();
        }

        var datasets = Directory.CreateDirectory(Path.Combine(lab.folder, "datasets")).FullName;
        await System.IO.File.WriteAllTextAsync(
            Path.Combine(datasets, "orders.json"),
            """{ "source": "source", "key": "id", "table": "public.orders", "select": ["id","customer","status","amount","currency","note","created_at"], "where": "id <= :most", "parameters": { "most": { "type": "bigint" } } }""");
        return lab;
    }

    /// <summary>A service of its own, so that its peak memory is that of one export.</summary>
    public Task<ServiceProcess> StartServiceAsync(IReadOnlyCollection<KeyValuePair<string, string>>? more = null) =>
        ServiceProcess.StartAsync(new Dictionary<string, string>(more ?? [])
        {
            ["ConnectionStrings__Catalog"] = catalog,
            ["ConnectionStrings__source"] = source,
            ["ClaimCheck__Datasets"] = Path.Combine(folder, "datasets"),
            ["ClaimCheck__DataDirectory"] = Path.Combine(folder, "data"),
        });

    /// <summary>The same, with staging in a new bucket of a real S3 server.</summary>
    public async Task<ServiceProcess> StartOnS3Async()
    {
        var server = await S3Endpoint.GetAsync();
        return await StartServiceAsync(
            [.. server.Environment, new("ClaimCheck__Staging__Bucket", await server.NewBucketAsync())]);
    }

    /// <summary>Exports as gzip CSV, and leaves the batch.</summary>
    public static async Task<BatchId> StageAsync(ServiceProcess service, long orders) =>
        (await AskAsync(service, orders, "csv", "gzip")).BatchId;

    /// <summary>Asks for an export, waits until it is ready, and revokes it: only the first two are timed.</summary>
    public static async Task<(TimeSpan Time, Export Export)> ExportAsync(
        ServiceProcess service, long orders, string format, string compression)
    {
        var watch = Stopwatch.StartNew();
        var export = await AskAsync(service, orders, format, compression);
        var time = watch.Elapsed;
        using var http = service.NewHttp();
        using var revoked = await http.DeleteAsync($"/v1/batches/{export.BatchId}");
        revoked.EnsureSuccessStatusCode();
        return (time, export);
    }

    /// <summary>Asks for an export and waits until it is ready.</summary>
    public static async Task<Export> AskAsync(ServiceProcess service, long orders, string format, string compression)
    {
        using var http = service.NewHttp();
        http.DefaultRequestHeaders.Add("Prefer", "wait=60");
        using var asked = await http.PostAsJsonAsync(
            "/v1/exports", new { dataset = "orders", format, compression, criteria = new { most = orders } });
        var export = (await asked.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options))!;
        while (!ExportState.IsSettled(export.State))
            export = (await http.GetFromJsonAsync<Export>($"/v1/exports/{export.ExportId}", ClaimCheckJson.Options))!;
        if (export.State != ExportState.Ready)
            throw new BenchException($"The export ended as {export.State}: {export.Failure?.Code}.");
        return export;
    }

    /// <summary>psql's \copy of the same query, through a shell command line where <c>$0</c> is psql's own command.</summary>
    public async Task<TimeSpan> PeerAsync(long orders, string shell)
    {
        System.IO.File.Delete(File);
        var address = new NpgsqlConnectionStringBuilder(source);
        var start = new ProcessStartInfo("sh", ["-c", shell, Query(orders.ToString()).ReplaceLineEndings(" "), File])
        {
            Environment =
            {
                ["PGHOST"] = address.Host,
                ["PGPORT"] = $"{address.Port}",
                ["PGUSER"] = address.Username,
                ["PGPASSWORD"] = address.Password,
                ["PGDATABASE"] = address.Database,
            },
        };
        var watch = Stopwatch.StartNew();
        using var psql = Process.Start(start) ?? throw new BenchException("No shell could be started.");
        await psql.WaitForExitAsync();
        return psql.ExitCode == 0 ? watch.Elapsed : throw new BenchException("psql failed: is it installed?");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    public static string Query(string most) =>
        $"SELECT id, customer, status, amount, currency, note, created_at FROM orders WHERE id <= {most}";
}
