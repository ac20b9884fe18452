using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.ProducerBatches;

/// <summary>Classes of this collection run one after another over the same two processes.</summary>
[CollectionDefinition(Name)]
public sealed class UploadTests : ICollectionFixture<UploadServices>
{
    public const string Name = "uploads";
}

/// <summary>Two real services: one that stages in a folder, one in a bucket.</summary>
public sealed class UploadServices : IAsyncLifetime
{
    internal UploadClient Folder { get; private set; } = null!;

    internal UploadClient S3 { get; private set; } = null!;

    internal UploadClient Of(bool onS3) => onS3 ? S3 : Folder;

    public async Task InitializeAsync()
    {
        var clients = await Task.WhenAll(StartAsync(onS3: false), StartAsync(onS3: true));
        (Folder, S3) = (clients[0], clients[1]);
    }

    public async Task DisposeAsync()
    {
        foreach (var client in (UploadClient[])[Folder, S3])
        {
            client.Http.Dispose();
            await client.Scene.DisposeAsync();
        }
    }

    private static async Task<UploadClient> StartAsync(bool onS3)
    {
        var scene = await Scene.CreateAsync(items: 10, onS3);
        scene.Settings["ClaimCheck__Uploads__PartBytes"] = "5242880";
        scene.Settings["ClaimCheck__Uploads__LargestRecord"] = "1048576";
        scene.Settings["ClaimCheck__Exporting__Tries"] = "2";
        return new(scene, new((await scene.StartServiceAsync()).NewHttp()));
    }
}

/// <summary>A file that a producer has.</summary>
internal sealed record ProducedFile(string Name, byte[] Bytes, long Records, string? Sha256 = null)
{
    public static byte[] Gzip(params byte[][] members)
    {
        var packed = new MemoryStream();
        foreach (var member in members)
        {
            using var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true);
            gzip.Write(member);
        }

        return packed.ToArray();
    }

    public static ProducedFile Csv(string name, string text, long records) =>
        new(name, Gzip(Encoding.UTF8.GetBytes(text)), records);

    public object Announced => new
    {
        name = Name,
        bytes = Bytes.Length,
        sha256 = Sha256 ?? Convert.ToHexStringLower(SHA256.HashData(Bytes)),
        records = Records,
    };
}

/// <summary>What a producer does, in a line each.</summary>
internal sealed record UploadClient(Scene Scene, ApiClient Http)
{
    public Task<Answer> TryOpenAsync(object body, params (string Name, string Value)[] headers) =>
        Http.PostAsync("/v1/batches", JsonSerializer.Serialize(body), headers);

    /// <summary>Opens a batch of orders (id, note) in a dataset of its own.</summary>
    public async Task<JsonElement> OpenAsync(string format, string compression, params ProducedFile[] files)
    {
        var opened = await TryOpenAsync(Orders(format, compression, files));
        Assert.True(opened.Status == 201, opened.Text);
        return opened.Json;
    }

    public static object Orders(string format, string compression, params ProducedFile[] files) => new
    {
        dataset = "produced",
        columns = new object[] { new { name = "id", type = "bigint", nullable = false }, new { name = "note", type = "text" } },
        key = "id",
        format,
        compression,
        maxFileBytes = 1 << 20,
        files = files.Select(file => file.Announced).ToArray(),
    };

    public Task<Answer> SendAsync(JsonElement batch, ProducedFile file) => Http.SendAsync(
        "PUT", $"/v1/batches/{batch.Text("batchId")}/files/{file.Name}", new ByteArrayContent(file.Bytes));

    /// <summary>By the link in the answer, as any HTTP client would.</summary>
    public static async Task<(int Status, string Text)> SendByLinkAsync(string link, byte[] bytes)
    {
        using var http = new HttpClient();
        using var content = new ByteArrayContent(bytes);
        using var answer = await http.PutAsync(link, content);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public static string LinkOf(JsonElement batch, int at) => batch.GetProperty("files")[at].GetProperty("link").Text("url")!;

    public Task<Answer> PublishAsync(JsonElement batch, int wait = 60) =>
        Http.SendAsync("POST", $"/v1/batches/{batch.Text("batchId")}/publish", null, ("Prefer", $"wait={wait}"));

    /// <summary>Everything, through the service, up to ready or failed.</summary>
    public async Task<JsonElement> PublishedAsync(string format, string compression, params ProducedFile[] files)
    {
        var batch = await OpenAsync(format, compression, files);
        foreach (var (file, at) in files.Select((file, at) => (file, at)))
        {
            // What is not as it was announced is taken by a link alone: S3 does not look.
            var sent = file.Sha256 is null
                ? (await SendAsync(batch, file)).Status
                : (await SendByLinkAsync(LinkOf(batch, at), file.Bytes)).Status;
            Assert.InRange(sent, 200, 204);
        }

        var published = await PublishAsync(batch);
        Assert.True(published.Status == 200, published.Text);
        return published.Json;
    }

    /// <summary>The whole batch, unpacked.</summary>
    public async Task<string> TextAsync(JsonElement batch)
    {
        var data = await Http.GetAsync($"/v1/batches/{batch.Text("batchId")}/data");
        Assert.True(data.Status == 200, data.Text);
        if (data.Body is not [0x1F, 0x8B, ..])
            return data.Text;
        return Encoding.UTF8.GetString(OneMember.Read(data.Body));
    }

    /// <summary>How many objects lie in inboxes, or in one.</summary>
    public async Task<long> InboxAsync(JsonElement? batch = null)
    {
        var prefix = batch is { } one ? $"inbox/{one.Text("batchId")}/" : "inbox/";
        if (Scene.Bucket is null)
            return FilesIn(prefix).Length;
        var listing = await (await S3Endpoint.GetAsync()).Client.ListObjectsV2Async(
            new Amazon.S3.Model.ListObjectsV2Request { BucketName = Scene.Bucket, Prefix = prefix });
        return listing.S3Objects?.Count ?? 0;
    }

    /// <summary>How many uploads of an inbox are open.</summary>
    public async Task<long> UnfinishedAsync(JsonElement batch)
    {
        if (Scene.Bucket is null)
            return FilesIn("uploads").Count(path => path.Contains(batch.Text("batchId")!, StringComparison.Ordinal));
        var listing = await (await S3Endpoint.GetAsync()).Client.ListMultipartUploadsAsync(
            new Amazon.S3.Model.ListMultipartUploadsRequest
            {
                BucketName = Scene.Bucket,
                Prefix = $"inbox/{batch.Text("batchId")}/",
            });
        return listing.MultipartUploads?.Count ?? 0;
    }

    private string[] FilesIn(string folder) => Directory.Exists(Path.Combine(Scene.Staging, folder))
        ? Directory.GetFiles(Path.Combine(Scene.Staging, folder), "*", SearchOption.AllDirectories)
        : [];
}
