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

    private ExportLab(string source) => this.source = source;

    /// <summary>The database with the orders.</summary>
    public string Source => source;

    /// <summary>Where peers may write.</summary>
    public string Folder => folder;

    public static async Task<ExportLab> CreateAsync(long orders)
    {
        var lab = new ExportLab(await PostgresServer.NewDatabaseAsync());
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

    /// <summary>A service of its own, with a catalog of its own: no other one takes its exports.</summary>
    /// <param name="more">Settings.</param>
    /// <param name="through">Another way to the source, such as a proxy's.</param>
    public async Task<ServiceProcess> StartServiceAsync(
        IReadOnlyCollection<KeyValuePair<string, string>>? more = null, string? through = null) =>
        await ServiceProcess.StartAsync(new Dictionary<string, string>(more ?? [])
        {
            ["ConnectionStrings__Catalog"] = await PostgresServer.NewDatabaseAsync(),
            ["ConnectionStrings__source"] = through ?? source,
            ["ClaimCheck__Datasets"] = Path.Combine(folder, "datasets"),
            ["ClaimCheck__DataDirectory"] = Path.Combine(folder, $"data-{Guid.NewGuid():N}"),
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

    /// <summary>An export, what it cost the service, and its batch, which is revoked when it is disposed of.</summary>
    public static async Task<(Run Run, IAsyncDisposable Batch)> TakeAsync(
        ServiceProcess service, long orders, string format, string compression)
    {
        ProcessCost.ForgetPeak(service.Pid);
        var cpu = ProcessCost.CpuOf(service.Pid);
        var watch = Stopwatch.StartNew();
        var export = await AskAsync(service, orders, format, compression);
        var time = watch.Elapsed;
        cpu = ProcessCost.CpuOf(service.Pid) - cpu;
        var peak = ProcessCost.PeakOf(service.Pid);
        var batch = new Batch(service, export.BatchId);
        return (new(time, cpu, export.Progress.Bytes, await batch.FilesAsync()) { PeakBytes = peak }, batch);
    }

    /// <summary>What outputs of so many orders must be.</summary>
    public async Task<OutputCheck> CheckAsync(long orders)
    {
        await using var connection = new NpgsqlConnection(source);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(RowSum.Sql, connection)
        {
            CommandTimeout = 0,
            Parameters = { new NpgsqlParameter<long> { TypedValue = orders } },
        };
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new(reader.GetInt64(0), reader.GetString(1), reader.GetString(2));
    }

    /// <summary>Gives the disk back.</summary>
    public Task DropAsync() => Scene.SqlAsync(source, "DROP TABLE orders");

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    public static string Query(string most) =>
        $"SELECT id, customer, status, amount, currency, note, created_at FROM orders WHERE id <= {most}";

    private sealed class Batch(ServiceProcess service, BatchId id) : IAsyncDisposable
    {
        private readonly HttpClient http = service.NewHttp();

        public async Task<IReadOnlyList<Func<Task<Stream>>>> FilesAsync()
        {
            var manifest = await http.GetFromJsonAsync<Manifest>($"/v1/batches/{id}/manifest", ClaimCheckJson.Options);
            return [.. manifest!.Files.Select(file => (Func<Task<Stream>>)(() => http.GetStreamAsync(file.Url.Reveal())))];
        }

        public async ValueTask DisposeAsync()
        {
            if (!service.HasExited)
            {
                using var revoked = await http.DeleteAsync($"/v1/batches/{id}");
                revoked.EnsureSuccessStatusCode();
            }

            http.Dispose();
        }
    }
}
