using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using ClaimCheck.Consumer;
using ClaimCheck.LocalPostgres;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.Service.Tests.Upgrading;

public sealed class Coming_from_version_0_1 : IDisposable
{
    // Postgres' user must get in where root runs the tests.
#pragma warning disable CA1416 // They run where the private Postgres does: not on Windows.
    private readonly string data = Directory.CreateDirectory(
        Path.Combine("/tmp", $"claimcheck-0.1-{Guid.NewGuid():N}"),
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute
            | UnixFileMode.OtherExecute).FullName;
#pragma warning restore CA1416
    private readonly Version01 old = Version01.Read();

    [Fact]
    public async Task With_its_data_directory_and_the_embedded_catalog()
    {
        await using (var postgres = await PrivatePostgres.StartAsync(data, NullLogger.Instance, CancellationToken.None))
        {
            await postgres.EnsureDatabaseAsync("claimcheck", CancellationToken.None);
            await Version01.RestoreCatalogAsync(postgres.ConnectionString("claimcheck"));
        }

        await GoesOnAsync();
    }

    [Fact]
    public async Task With_a_catalog_elsewhere()
    {
        var catalog = await PostgresServer.NewDatabaseAsync();
        await Version01.RestoreCatalogAsync(catalog);

        await GoesOnAsync(("ConnectionStrings__Catalog", catalog));
    }

    [Theory]
    [InlineData(false, "deflate")]
    [InlineData(true, "gzip")]
    public async Task A_catalog_without_a_single_export_still_knows_where_it_comes_from(bool isOld, string framing)
    {
        var catalog = await PostgresServer.NewDatabaseAsync();
        if (isOld)
        {
            await Version01.RestoreCatalogAsync(catalog);
            await Scene.SqlAsync(catalog, "TRUNCATE exports, outbox, attempts, uploads CASCADE");
        }

        await using var source = NpgsqlDataSource.Create(catalog);
        await Migrations.ApplyAsync(source, NullLogger.Instance, CancellationToken.None);
        await Migrations.ApplyAsync(source, NullLogger.Instance, CancellationToken.None);

        Assert.Equal(framing, await Scene.ScalarAsync<string>(catalog, "SELECT unless_configured FROM default_framing"));
    }

    [Fact]
    public async Task A_framing_that_nobody_reads_stops_the_start()
    {
        var (code, output) = await ServiceProcess.RunAsync(
            new Dictionary<string, string> { ["ClaimCheck__DataDirectory"] = data, ["ClaimCheck__Exporting__Framing"] = "zstd" });

        Assert.Equal(
            (1, "claimcheck: ClaimCheck:Exporting:Framing is 'zstd', but must be deflate or gzip: nobody could read the files."),
            (code, output.Trim()));
    }

    public void Dispose() => Directory.Delete(data, recursive: true);

    private async Task GoesOnAsync(params (string Name, string Value)[] more)
    {
        Version01.CopyTo(data);
        var settings = more.ToDictionary(setting => setting.Name, setting => setting.Value);
        settings["ClaimCheck__DataDirectory"] = data;
        settings["ConnectionStrings__sample"] = await Version01.SampleAsync();

        await using (var service = await ServiceProcess.StartAsync(settings))
        {
            using var http = new ApiClient(service.NewHttp());
            foreach (var batch in old.Batches)
                await IsReadAsync(http, batch);
            // Exports that were requested from that version and not begun are written for the same
            // consumers, and so are new ones.
            var pending = await Eventually.NotNullAsync<Answer>(async () =>
                await http.GetAsync($"/v1/exports/{old.Pending}", ("Prefer", "wait=60")) is { } answer
                && answer.Json.Text("state") == "ready"
                    ? answer
                    : null);
            Assert.Equal(["gzip"], await FramingsAsync(http, pending.Json));
            Assert.Equal(["gzip", "gzip"], await FramingsAsync(http, await AskAsync(http, "csv")));
            Assert.Equal(0, await service.StopAsync());
        }

        settings["ClaimCheck__Exporting__Framing"] = "deflate";
        await using (var service = await ServiceProcess.StartAsync(settings))
        {
            using var http = new ApiClient(service.NewHttp());
            var (csv, ndjson) = (await AskAsync(http, "csv"), await AskAsync(http, "ndjson"));
            Assert.Equal(["deflate", "deflate"], await FramingsAsync(http, csv));
            Assert.All(await FramingsAsync(http, ndjson), framing => Assert.Equal("deflate", framing));
            // The same records as in version 0.1's file of them.
            Assert.Equal(old.Batches[0].Text, Digest(OneMember.Read((await http.GetAsync(csv.Link("batch") + "/data")).Body)));
            await IsReadAsync(http, old.Batches[0]);
        }
    }

    private static async Task<JsonElement> AskAsync(ApiClient http, string format)
    {
        var asked = await http.PostAsync(
            "/v1/exports", $$"""{ "dataset": "orders", "format": "{{format}}", "maxFileBytes": 65536 }""", ("Prefer", "wait=60"));
        Assert.True(asked.Status == 200, asked.Text);
        return asked.Json;
    }

    // By every way that leads to a batch's records.
    private static async Task IsReadAsync(ApiClient http, BatchOf01 batch)
    {
        var path = $"/v1/batches/{batch.BatchId}";
        var answer = await http.GetAsync(path + "/data");
        Assert.True(answer.Status == 200, $"{batch.Name}: {answer.Status}");
        Assert.Equal(batch.Text, Digest(batch.Compression == "gzip" ? AllMembers(answer.Body) : answer.Body));
        var size = answer.Body.Length;
        Assert.Equal($"{size}", (await http.SendAsync("HEAD", path + "/data")).Header("Content-Length"));
        if (size > 100)
            Assert.Equal(answer.Body[(size / 2)..], (await http.GetAsync(path + "/data", ("Range", $"bytes={size / 2}-"))).Body);

        var records = 0L;
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await http.GetAsync($"{path}/records?limit=1000{cursor}");
            records += page.Items().Length;
            cursor = page.NextCursor() is { } next ? $"&cursor={next}" : null;
        }

        Assert.Equal(batch.Records, records);

        using var client = new ClaimCheckClient(http.Address);
        using var reader = new BatchReader(client);
        Assert.Equal(batch.Records, await reader.ReadRecordsAsync(batch.BatchId).Select(_ => 1L).SumAsync());
        var directory = Directory.CreateTempSubdirectory("claimcheck-upgraded-").FullName;
        using var downloader = new BatchDownloader(client);
        Assert.Equal(batch.Records, (await downloader.DownloadAsync(batch.BatchId, directory)).Manifest.Records);
        Directory.Delete(directory, recursive: true);
    }

    private static async Task<IReadOnlyList<string?>> FramingsAsync(ApiClient http, JsonElement export)
    {
        var framings = new List<string?>();
        foreach (var file in (await http.GetAsync(export.Link("manifest"))).Json.GetProperty("files").EnumerateArray())
            framings.Add((await http.GetAsync(file.GetProperty("index").Text("url")!)).Json.Text("framing"));
        return framings;
    }

    private static byte[] AllMembers(byte[] stored)
    {
        using var gzip = new GZipStream(new MemoryStream(stored), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
