using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;
using ClaimCheck.Import;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.Adapter.Tests.Tables;

/// <summary>
/// A table of edge values as a dataset, and an empty copy of it that an operation inserts into and a route of an adapter loads.
/// Whatever has filled the copy, the database itself tells what is not the same.
/// </summary>
internal sealed class ValueScene : IAsyncDisposable
{
    private const string Copy = "copies";
    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-values-").FullName;
    private readonly HttpClient http;

    private ValueScene(AdapterScene adapter)
    {
        Adapter = adapter;
        http = adapter.Service.NewHttp();
    }

    public AdapterScene Adapter { get; }

    public string Database => Adapter.Scene.Source;

    public static async Task<ValueScene> CreateAsync()
    {
        var scene = await Scene.CreateAsync(1);
        await Scene.SqlAsync(
            scene.Source, EdgeValues.Types + EdgeValues.Create("edges") + EdgeValues.Create(Copy) + EdgeValues.Fill("edges"));
        scene.AddDataset("edges", "SELECT * FROM edges ORDER BY id");
        var operations = Path.Combine(scene.DataDirectory, "..", "operations");
        Directory.CreateDirectory(operations);
        var parameters = new JsonObject { ["id"] = new JsonObject { ["type"] = "bigint" } };
        foreach (var (place, column) in EdgeValues.Columns.Index())
            parameters[EdgeValues.NameOf(place)] = new JsonObject { ["type"] = TypeOf(column), ["required"] = false };
        var operation = new JsonObject
        {
            ["target"] = "source",
            ["form"] = "item",
            ["key"] = "id",
            ["delivery"] = "atLeastOnce",
            ["parameters"] = parameters,
        };
        File.WriteAllText(Path.Combine(operations, "copy.json"), operation.ToJsonString());
        File.WriteAllText(Path.Combine(operations, "copy.sql"), $"INSERT INTO {Copy} VALUES (:id, "
            + $"{string.Join(", ", EdgeValues.Columns.Index().Select(column => $":{EdgeValues.NameOf(column.Index)}"))})");
        scene.Settings["ClaimCheck__Operations"] = operations;
        scene.Settings["ClaimCheck__BulkJobs__Delay"] = "00:00:00.05";

        var values = new ValueScene(await AdapterScene.CreateAsync(scene));
        var route = values.Adapter.AddRoute("table", "ar-2", "edges");
        route["Accept"] = "any";
        route["Destination"] = new JsonObject { ["Kind"] = "table", ["ConnectionString"] = values.Database, ["Table"] = Copy };
        await values.Adapter.StartAsync();
        return values;
    }

    /// <summary>Exports the table, and waits until the adapter has loaded it.</summary>
    public async Task<(BatchId Batch, byte[] Data)> ExportAsync(string format)
    {
        var export = await Adapter.Client.CreateExportAsync(
            new ExportRequest { Dataset = "edges", Format = format, Compression = "none" });
        var receipt = await Eventually.NotNullAsync(async () =>
            (await Adapter.Client.GetReceiptsAsync(export.BatchId)).Items.SingleOrDefault(
                receipt => receipt.State == ReceiptState.Completed));
        Assert.True(receipt.Terminal + receipt.Transient == 0, await http.GetStringAsync(
            $"v1/batches/{export.BatchId}/receipts/billing/failures"));
        return (export.BatchId, await http.GetByteArrayAsync($"v1/batches/{export.BatchId}/data"));
    }

    /// <summary>Checks what a reader has made of the values, and empties the copy for the next one.</summary>
    public async Task SameAsync(string reader, string format)
    {
        var differences = await Scene.ScalarAsync<string>(
            Database, "SELECT string_agg(difference, E'\\n') FROM "
                + $"({EdgeValues.Differences("edges", Copy, format == "ndjson")}) AS d (difference)");
        Assert.True(differences is null, $"{reader} of {format}:\n{differences}");
        await Scene.SqlAsync(Database, $"TRUNCATE {Copy}");
    }

    public async Task ApplyAsync(string body, string type)
    {
        var job = await JobScene.EndedAsync(http, await JobScene.PostAsync(http, "copy", body, type));
        Assert.True(job.Status == BulkJobStatus.Completed, $"{job.Failure}");
        var failures = (await JobScene.ResultsAsync(http, job)).Where(result => result.Code is not null)
            .Select(result => $"{result.Key}: {result.Code} {result.Message}");
        Assert.True(job.Failed == 0, string.Join('\n', failures));
    }

    /// <summary>Uploads a file as a producer's batch.</summary>
    public async Task<BatchId> UploadAsync(Manifest manifest, byte[] data)
    {
        var file = new UploadRequestFile("edges", data.Length, Convert.ToHexStringLower(SHA256.HashData(data)), EdgeValues.Rows);
        using var opened = await http.PostAsJsonAsync("v1/batches", new UploadRequest
        {
            Dataset = "uploaded",
            Columns = manifest.Columns,
            Key = manifest.Key,
            Format = manifest.Format,
            Compression = "none",
            Files = [file],
        }, ClaimCheckJson.Options);
        Assert.True(opened.IsSuccessStatusCode, await opened.Content.ReadAsStringAsync());
        var upload = (await opened.Content.ReadFromJsonAsync<UploadBatch>(ClaimCheckJson.Options))!;
        using var content = new ByteArrayContent(data);
        using var sent = await http.PutAsync($"v1/batches/{upload.BatchId}/files/edges", content);
        Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync());
        using var publish = new HttpRequestMessage(HttpMethod.Post, $"v1/batches/{upload.BatchId}/publish");
        publish.Headers.Add("Prefer", "wait=60");
        using var published = await http.SendAsync(publish);
        Assert.True(
            published.IsSuccessStatusCode && (await Adapter.Client.GetBatchAsync(upload.BatchId)).State == ExportState.Ready,
            await published.Content.ReadAsStringAsync());
        return upload.BatchId;
    }

    public Task<byte[]> DataAsync(BatchId batch) => http.GetByteArrayAsync($"v1/batches/{batch}/data");

    public string ClaimOf(BatchId batch) => $"{Adapter.Service.Address}v1/batches/{batch}/manifest";

    /// <summary>Imports a file into the operation. Of CSV each field is given its type where imports have one.</summary>
    public async Task ImportAsync(string format, byte[] data)
    {
        var path = Path.Combine(folder, "edges." + format);
        await File.WriteAllBytesAsync(path, data);
        var options = new ImportOptions
        {
            Name = format,
            State = Path.Combine(folder, "state"),
            Endpoint = new()
            {
                Url = Adapter.Service.Address.AbsoluteUri,
                Contract = "bulk-jobs",
                Operation = "copy",
                JobPoll = TimeSpan.FromMilliseconds(20),
            },
        };
        if (format == "csv")
        {
            var fields = EdgeValues.Columns.Index().ToDictionary(column => EdgeValues.NameOf(column.Index), column =>
                new FieldOptions { From = EdgeValues.NameOf(column.Index), Type = ImportedAs(column.Item.Base) });
            fields["id"] = new() { From = "id", Type = "integer" };
            options.Mapping = new() { Key = "id", Fields = fields };
        }

        using var runner = new ImportRunner(options, TimeProvider.System, NullLogger.Instance);
        var run = await runner.StartAsync(path, again: false, null, _ => { }, CancellationToken.None);
        var failures = new StringBuilder();
        await foreach (var line in runner.Runs.DirectoryOf(run.RunId).RejectLinesAsync(CancellationToken.None))
            failures.AppendLine(line[..Math.Min(line.Length, 300)]);
        Assert.True(run.Counts.Succeeded == EdgeValues.Rows, failures.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await Adapter.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    // Without length and precision, which the column has.
    private static string TypeOf(EdgeColumn column) =>
        column.Base.IndexOf('(', StringComparison.Ordinal) is var open and > 0 ? column.Base[..open] : column.Base;

    private static string ImportedAs(string type) => type switch
    {
        "smallint" or "integer" or "bigint" => "integer",
        "numeric" or "numeric(12,2)" or "real" or "double precision" => "numeric",
        "boolean" or "date" or "timestamptz" or "uuid" => type,
        "json" or "jsonb" => "json",
        _ => "text",
    };
}
