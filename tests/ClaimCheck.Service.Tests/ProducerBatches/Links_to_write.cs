using System.Text.Json;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.ProducerBatches;

/// <summary>A link to write is as bound as a link to read: to its file's length, and to the life of its batch.</summary>
[Collection(UploadTests.Name)]
public sealed class Links_to_write(UploadServices services)
{
    private static readonly ProducedFile Small = new("small.ndjson", [.. "{\"id\":1,\"note\":null}\n"u8], 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_takes_just_the_bytes_that_were_announced(bool onS3)
    {
        var client = services.Of(onS3);
        var batch = await client.OpenAsync("ndjson", "none", Small);
        var link = UploadClient.LinkOf(batch, 0);
        foreach (var length in (int[])[30 << 20, Small.Bytes.Length + 1, Small.Bytes.Length - 1, 0])
            Assert.True(
                await StatusAsync(link, new ByteArrayContent(new byte[length])) is >= 400 and < 500,
                $"{length} bytes were taken.");
        Assert.True(
            await StatusAsync(link, new StreamContent(new Unmeasured(Small.Bytes.Length))) is >= 400 and < 500,
            "A body without length was taken.");
        Assert.Equal((0, onS3 ? 1 : 0), (await client.InboxAsync(batch), await client.UnfinishedAsync(batch)));
        (await client.PublishAsync(batch)).IsProblem(409, "upload_incomplete");

        Assert.Equal(200, (await UploadClient.SendByLinkAsync(link, Small.Bytes)).Status);
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Forty_PUTs_of_a_file_leave_one_copy(bool onS3)
    {
        var client = services.Of(onS3);
        var file = new ProducedFile(
            "large.ndjson", [.. Small.Bytes[..^1], .. Enumerable.Repeat((byte)' ', 1 << 20), (byte)'\n'], 1);
        var batch = await client.OpenAsync("ndjson", "none", file);
        var link = UploadClient.LinkOf(batch, 0);
        Assert.Equal(422, (await client.SendAsync(batch, file with { Bytes = new byte[file.Bytes.Length] })).Status);
        Assert.Equal((0, onS3 ? 1 : 0), (await client.InboxAsync(batch), await client.UnfinishedAsync(batch)));

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => client.SendAsync(batch, file)));

        Assert.All(answers, answer => Assert.Equal(204, answer.Status));
        Assert.Equal((1, 0), (await client.InboxAsync(batch), await client.UnfinishedAsync(batch)));
        // What has arrived is compared, and not stored again; at S3 its link is dead.
        (await client.SendAsync(batch, file with { Bytes = new byte[file.Bytes.Length] })).IsProblem(422, "upload_mismatch");
        Assert.Equal(onS3 ? 404 : 200, (await UploadClient.SendByLinkAsync(link, file.Bytes)).Status);
        Assert.Equal((1, 0), (await client.InboxAsync(batch), await client.UnfinishedAsync(batch)));
        var shown = (await client.Http.GetAsync(new Uri(batch.Link("self")).PathAndQuery)).Json.GetProperty("files")[0];
        Assert.Equal(
            (true, JsonValueKind.Null), (shown.GetProperty("received").GetBoolean(), shown.GetProperty("link").ValueKind));
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_dead_once_the_batch_is_published_and_nothing_appears_after_the_proof(bool onS3)
    {
        var client = services.Of(onS3);
        var batch = await client.OpenAsync("ndjson", "none", Small);
        var link = UploadClient.LinkOf(batch, 0);
        var again = UploadClient.LinkOf((await client.Http.GetAsync(new Uri(batch.Link("self")).PathAndQuery)).Json, 0);
        Assert.Equal(200, (await UploadClient.SendByLinkAsync(link, Small.Bytes)).Status);
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
        await AssertDeadAsync();

        var report = await client.Http.SendAsync("DELETE", $"/v1/batches/{batch.Text("batchId")}");
        Assert.NotNull(report.Json.Text("verifiedAt"));
        await AssertDeadAsync();

        async Task AssertDeadAsync()
        {
            foreach (var each in (string[])[link, again])
            {
                var late = await UploadClient.SendByLinkAsync(each, Small.Bytes);
                Assert.Equal(onS3 ? 404 : 409, late.Status);
                Assert.Contains(onS3 ? "NoSuchUpload" : "batch_not_open", late.Text, StringComparison.Ordinal);
            }

            await Eventually.TrueAsync(async () => await client.InboxAsync(batch) == 0);
            Assert.Equal(0, await client.UnfinishedAsync(batch));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_dead_once_the_batch_is_cancelled_with_parts_under_way(bool onS3)
    {
        var client = services.Of(onS3);
        var file = new ProducedFile("parts.ndjson", new byte[6 << 20], 1);
        var batch = await client.OpenAsync("ndjson", "none", file, Small);
        var links = new List<(string Link, byte[] Bytes)>
        {
            (UploadClient.LinkOf(batch, 0), file.Bytes),
            (UploadClient.LinkOf(batch, 1), Small.Bytes),
        };
        if (onS3)
        {
            var begun = (await client.Http.SendAsync(
                "POST", new Uri(batch.GetProperty("files")[0].Text("multipart")!).PathAndQuery)).Json;
            var part = begun.GetProperty("parts")[0];
            links.Add((part.GetProperty("link").Text("url")!, new byte[part.GetProperty("bytes").GetInt32()]));
            Assert.Equal(200, (await UploadClient.SendByLinkAsync(links[2].Link, links[2].Bytes)).Status);
            Assert.Equal(403, (await UploadClient.SendByLinkAsync(links[2].Link, file.Bytes)).Status);
        }

        var report = await client.Http.SendAsync("DELETE", $"/v1/batches/{batch.Text("batchId")}");

        Assert.NotNull(report.Json.Text("verifiedAt"));
        Assert.Equal(onS3 ? 2 : 0, report.Json.GetProperty("objects").GetProperty("uploadsAborted").GetInt32());
        foreach (var (link, bytes) in links)
            Assert.Equal(onS3 ? 404 : 409, await StatusAsync(link, new ByteArrayContent(bytes)));
        Assert.Equal((0, 0), (await client.InboxAsync(batch), await client.UnfinishedAsync(batch)));
    }

    [Fact]
    public async Task Copies_that_a_killed_process_left_are_swept_and_the_one_that_counts_stays()
    {
        var client = services.Folder;
        var batch = await client.OpenAsync("ndjson", "none", Small);
        Assert.Equal(204, (await client.SendAsync(batch, Small)).Status);
        var id = Guid.Parse(batch.Text("batchId")![4..]);
        var stray = $"inbox/{batch.Text("batchId")}/00001-0123456789abcdef";
        await File.WriteAllBytesAsync(Path.Combine(client.Scene.Staging, stray), Small.Bytes);
        await Scene.SqlAsync(client.Scene.Catalog, $"""
            INSERT INTO multipart_uploads (batch_id, object_key, upload_id, attempt) VALUES ('{id}', '{stray}', '{Guid.NewGuid():N}', 'inbox');
            UPDATE producer_batches SET next_look_at = now() WHERE batch_id = '{id}';
            """);

        await Eventually.TrueAsync(async () => await client.InboxAsync(batch) == 1);

        Assert.False(File.Exists(Path.Combine(client.Scene.Staging, stray)));
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
    }

    [Fact]
    public async Task A_batch_has_a_budget()
    {
        var opened = await services.Folder.TryOpenAsync(new
        {
            dataset = "items",
            files = Enumerable.Range(1, 3)
                .Select(n => new { name = $"f{n}", bytes = 400L << 30, sha256 = new string('a', 64), records = 1 }),
        });
        opened.IsInvalid("files");
    }

    // A server that refuses before it has read everything may cut the connection; that is a refusal as well.
    private static async Task<int> StatusAsync(string link, HttpContent body)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, link) { Content = body };
        request.Headers.ExpectContinue = true;
        using var answer = await http.SendAsync(request);
        return (int)answer.StatusCode;
    }

    private sealed class Unmeasured(int length) : MemoryStream(new byte[length])
    {
        public override bool CanSeek => false;
    }
}
