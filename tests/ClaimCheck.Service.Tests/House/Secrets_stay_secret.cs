using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Revocation;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.House;

/// <summary>A link, a key, a password or a record never reaches a log, a trace, a metric or a text, however
/// much is logged.</summary>
[Collection(nameof(Heavy))]
public sealed class Secrets_stay_secret
{
    private const string Payload = "payload-4711-of-a-customer";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_secret_is_logged_or_traced_at_any_level(bool onS3)
    {
        var secrets = new Secrets();
        await using var collector = await Collector.StartAsync();
        await using var scene = await Scene.CreateAsync(items: 500, onS3);
        await PrepareAsync(scene, secrets, collector, onS3);
        var service = await scene.StartServiceAsync();
        using var http = service.NewHttp();
        http.DefaultRequestHeaders.Authorization = new("Bearer", secrets.AdminKey);

        await DoTheJobAsync(http, secrets);
        await FailAsync(http);
        foreach (var link in new[] { secrets.Links[0], secrets.Links[^1] })
            await MisuseAsync(service.Address, http, link, secrets);
        await Eventually.TrueAsync(
            () => Task.FromResult(collector.Text.Contains("claimcheck.batch_id", StringComparison.Ordinal)), Patience);
        Assert.Equal(0, await service.StopAsync());

        // It did log all there is.
        Assert.Contains("trce: ", service.Log, StringComparison.Ordinal);
        Assert.Contains("Microsoft.AspNetCore.Server.Kestrel", service.Log, StringComparison.Ordinal);
        if (!onS3)
            secrets.AddLinkKeys(Path.Combine(scene.DataDirectory, "link-keys.json"));
        foreach (var (what, secret) in secrets.All)
        {
            Assert.False(
                service.Log.Contains(secret, StringComparison.Ordinal), $"The log holds {what}: {Around(service.Log, secret)}");
            Assert.False(
                collector.Text.Contains(secret, StringComparison.Ordinal),
                $"Telemetry holds {what}: {Around(collector.Text, secret)}");
        }
    }

    [Fact]
    public void Nothing_that_holds_a_link_prints_it()
    {
        const string url = "https://staging.example/batches/manifest.json?X-Amz-Signature=0123456789abcdef";
        var link = new Link(url);
        var column = new Column("id", "bigint", false);
        var manifest = new Manifest
        {
            ExportId = ExportId.New(),
            BatchId = BatchId.New(),
            Dataset = "items",
            SchemaVersion = 1,
            Criteria = JsonElement.Parse("{}"),
            SnapshotAt = DateTimeOffset.UnixEpoch,
            Columns = [column],
            Key = "id",
            OrderedBy = null,
            Format = "csv",
            Compression = "gzip",
            Records = 1,
            Bytes = 1,
            UncompressedBytes = 1,
            LinksExpireAt = DateTimeOffset.UnixEpoch,
            ClaimUrl = "https://api.example",
            Files = [new()
            {
                Name = "part",
                Url = link,
                Records = 1,
                Bytes = 1,
                UncompressedBytes = 1,
                Sha256 = "",
                Index = new(link, 1, ""),
            }],
        };
        var data = new BulkReadyData
        {
            ExportId = manifest.ExportId,
            BatchId = manifest.BatchId,
            Dataset = "items",
            SchemaVersion = 1,
            Location = link,
            ClaimUrl = "https://api.example",
            Records = 1,
            Bytes = 1,
            Files = 1,
            Format = "csv",
            Compression = "gzip",
        };
        var ready = new BulkEvent
        {
            Id = EventId.New(),
            Type = "claimcheck.bulk.ready.v1",
            Source = "/v1/exports/x",
            Subject = manifest.BatchId.ToString(),
            Time = DateTimeOffset.UnixEpoch,
            DataRef = link,
            Data = JsonSerializer.SerializeToElement(data, ClaimCheckJson.Options),
        };
        foreach (var holder in new object[]
                 {
                     link, manifest, manifest.Files[0], manifest.Files[0].Index, data, ready,
                     new Service.Publishing.PositionedEvent(new(1, null), ready),
                     new Service.Staging.SignedLink(link, DateTimeOffset.UnixEpoch),
                     new ExportLinks("a", "b", "c", link, "d"), new Page<BulkEvent>([ready], null),
                     new Batches.Redeemed<Manifest>(manifest),
                     new Batches.Redeemed<Link>(link),
                 })
        {
            Assert.DoesNotContain("0123456789abcdef", $"{holder}", StringComparison.Ordinal);
        }

        // But as JSON it is complete.
        Assert.Contains(url, JsonSerializer.Serialize(ready, ClaimCheckJson.Options), StringComparison.Ordinal);
    }

    private static async Task PrepareAsync(Scene scene, Secrets secrets, Collector collector, bool onS3)
    {
        await Scene.SqlAsync(scene.Source, $"UPDATE items SET name = '{Payload}' WHERE id % 10 = 0");
        scene.AddDataset(
            "broken", "SELECT id, CASE WHEN id > 100 THEN name::int::text ELSE name END AS name FROM items ORDER BY id");
        secrets.Add("a record", Payload);
        // The server asks for none, but a driver that prints its connection string would print it.
        foreach (var name in new[] { "ConnectionStrings__Catalog", "ConnectionStrings__source" })
            scene.Settings[name] =
                new NpgsqlConnectionStringBuilder(scene.Settings[name]) { Password = secrets.Password }.ConnectionString;
        if (onS3)
            secrets.Add("the secret key of S3", (await S3Endpoint.GetAsync()).SecretKey);
        scene.Settings["ClaimCheck__AdminKey"] = secrets.AdminKey;
        foreach (var (name, value) in new[]
                 {
                     ("Logging__LogLevel__Default", "Trace"), ("Logging__LogLevel__Microsoft", "Trace"),
                     ("Logging__Console__LogLevel__Default", "Trace"), ("Logging__Console__LogLevel__Microsoft", "Trace"),
                     ("Logging__Console__FormatterName", "simple"), ("Logging__Console__FormatterOptions__IncludeScopes", "true"),
                     ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                     ("OTEL_BSP_SCHEDULE_DELAY", "200"), ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
                 })
        {
            scene.Settings[name] = value;
        }
    }

    private static async Task DoTheJobAsync(HttpClient http, Secrets secrets)
    {
        var asked = await http.PostAsJsonAsync("/v1/exports", new { dataset = "items" });
        var export = await asked.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options);
        secrets.Add(export!.Links.Staging!);
        var ready = await Eventually.NotNullAsync(
            async () => (await http.GetFromJsonAsync<Page<BulkEvent>>("/v1/events?wait=5", ClaimCheckJson.Options))!.Items
                .SingleOrDefault(),
            Patience);
        secrets.Add(ready.DataRef!);
        var manifest = (await http.GetFromJsonAsync<Manifest>($"/v1/batches/{ready.Subject}/manifest", ClaimCheckJson.Options))!;
        foreach (var file in manifest.Files)
        {
            secrets.Add(file.Url);
            secrets.Add(file.Index.Url);
            // With the key the file itself: nothing that could be followed.
            using var stored = await http.GetAsync($"/v1/batches/{ready.Subject}/files/{file.Name}");
            Assert.Equal((HttpStatusCode.OK, null), (stored.StatusCode, stored.Headers.Location));
        }

        using var anyone = new HttpClient();
        foreach (var link in secrets.Links.ToList())
            Assert.Equal(HttpStatusCode.OK, (await anyone.GetAsync(link)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync($"/v1/batches/{ready.Subject}/data")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.DeleteAsync($"/v1/batches/{ready.Subject}")).StatusCode);
        foreach (var link in secrets.Links.ToList())
            Assert.Equal(HttpStatusCode.NotFound, (await anyone.GetAsync(link)).StatusCode);
    }

    // The source's own message quotes a record.
    private static async Task FailAsync(HttpClient http)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "/v1/exports") { Content = JsonContent.Create(new { dataset = "broken" }) };
        request.Headers.Add("Prefer", "wait=60");
        var failed = await (await http.SendAsync(request)).Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options);
        Assert.Equal(ExportState.Failed, failed!.State);
        Assert.DoesNotContain(Payload, failed.Failure!.Detail, StringComparison.Ordinal);
        await http.PostAsync("/v1/exports", new StringContent(
            $$"""{ "dataset": "items", "{{Payload}}": "{{Payload}}" """, Encoding.UTF8, "application/json"));
        await http.PostAsync("/v1/exports", new StringContent(
            $$"""{ "dataset": "items", "criteria": { "least": "{{Payload}}" } }""", Encoding.UTF8, "application/json"));
    }

    // What callers send by mistake, and scanners on purpose: as it should not be, and in ways that the server itself refuses.
    private static async Task MisuseAsync(Uri service, HttpClient http, string link, Secrets secrets)
    {
        var target = new Uri(link).PathAndQuery;
        var query = new Uri(link).Query;
        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Get })
            using (await http.SendAsync(new HttpRequestMessage(method, target)))
            {
            }

        foreach (var path in new[] { $"/v1/exports{query}", $"/v1/events{query}&after=x", $"/nowhere{query}", $"{target}x",
            $"/v1/batches/x/manifest{query}" })
            using (await http.GetAsync(path))
            {
            }

        foreach (var request in new[]
                 {
                     $"GET {target} HTTP/9.9\r\n\r\n",
                     $"GET {target} \r\n\r\n",
                     $"GET {query[1..]} HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     $"{query[1..Math.Min(query.Length, 30)]}\r\n\r\n",
                     $"G\u0001T {target} HTTP/1.1\r\n\r\n",
                     $"GET /%00{query} HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     $"GET /{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer {secrets.AdminKey}\r\n\r\n",
                     $"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization Bearer {secrets.AdminKey}\r\n\r\n",
                     $"GET / HTTP/1.1\r\nHost: localhost\r\n{secrets.AdminKey}\r\n\r\n",
                     $"GET / HTTP/1.1\r\nHost: {query[1..]}\r\n\r\n",
                     $"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {secrets.AdminKey}\r\n\r\n",
                     $"GET http://localhost:x{target} HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     $"BREW {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secrets.AdminKey}x\r\n\r\n",
                 })
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, service.Port);
            await using var stream = client.GetStream();
            try
            {
                await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
                client.Client.Shutdown(SocketShutdown.Send);
                await stream.CopyToAsync(Stream.Null).WaitAsync(TimeSpan.FromMinutes(2));
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // Hung up on.
            }
        }
    }

    private static string Around(string text, string secret)
    {
        var at = text.IndexOf(secret, StringComparison.Ordinal);
        return at < 0 ? "" : text[Math.Max(0, at - 300)..Math.Min(text.Length, at + 100)];
    }
}
