using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using ClaimCheck.Contracts;
using ClaimCheck.EndToEnd.Tests.Failures;
using ClaimCheck.Testing;

namespace ClaimCheck.EndToEnd.Tests.Uploads;

/// <summary>A worker is killed while it publishes what a producer has uploaded: another one does it, once.</summary>
public sealed class A_publication_dies
{
    private const int Records = 60_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_amid_the_files_it_is_published_by_another(bool onS3)
    {
        await using var scene = await Scene.CreateAsync(items: 1, onS3);
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        var first = await scene.StartServiceAsync();
        using var asking = new Client(first);
        var export = await PublishAsync(asking);
        await Staged.MidwayAsync(scene);
        await first.KillAsync();
        Assert.Equal("running", await Scene.ScalarAsync<string>(scene.Catalog, "SELECT state FROM exports"));
        await AssertPublishedByAnotherAsync(scene, export);
    }

    [Fact]
    public async Task Killed_before_the_commit_it_leaves_one_batch()
    {
        await using var scene = await Scene.CreateAsync(items: 1);
        scene.Settings["ClaimCheck__Exporting__Lease"] = "00:00:03";
        var first = await scene.StartServiceAsync();
        await using var commit = await Hold.TakeAsync(scene.Catalog, Hold.Commit);
        using var asking = new Client(first);
        var export = await PublishAsync(asking);
        await Hold.IsMetAsync(scene.Catalog, "INSERT INTO batch_files");
        await first.KillAsync();
        await commit.ReleaseAsync();
        await AssertPublishedByAnotherAsync(scene, export);
    }

    [Fact]
    public async Task Killed_amid_an_upload_the_producer_sends_it_again()
    {
        await using var scene = await Scene.CreateAsync(items: 1);
        var first = await scene.StartServiceAsync();
        using var asking = new Client(first);
        var (batch, file) = await OpenAsync(asking);
        using var halfway = new HalfStream(file);
        var sending = asking.Http.PutAsync($"/v1/batches/{batch.BatchId}/files/all", new StreamContent(halfway));
        await Eventually.TrueAsync(async () => (await Staged.UploadsAsync(scene)).Count > 0);
        await first.KillAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => sending);

        var second = await scene.StartServiceAsync();
        using var client = new Client(second);
        using (var early = await client.Http.PostAsync($"/v1/batches/{batch.BatchId}/publish", null))
            Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);
        var export = await SendAndPublishAsync(client, batch, file);
        await client.UntilAsync(export, ExportState.Ready);
        await client.AssertWholeAsync(export, Records);
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export); // the half of it is swept with the inbox
    }

    private static async Task AssertPublishedByAnotherAsync(Scene scene, Export export)
    {
        var others = await Task.WhenAll(scene.StartServiceAsync(), scene.StartServiceAsync());
        using var client = new Client(others[0]);
        await client.UntilAsync(export, ExportState.Ready);
        await client.AssertWholeAsync(export, Records);
        await client.EventAsync(export, EventTypes.BulkReady);
        Assert.Single(await client.EventsOfAsync(export));
        // Nothing of the first worker's, and nothing of the inbox.
        await Staged.OnlyAsync(scene, TimeSpan.FromMinutes(3), export);
        Assert.Equal(0, await Scene.ScalarAsync<int>(scene.Catalog, "SELECT tries FROM exports"));
    }

    private static async Task<Export> PublishAsync(Client client)
    {
        var (batch, file) = await OpenAsync(client);
        return await SendAndPublishAsync(client, batch, file);
    }

    private static async Task<(UploadBatch Batch, byte[] File)> OpenAsync(Client client)
    {
        var file = Encoding.UTF8.GetBytes(string.Concat(
            Enumerable.Range(1, Records).Select(n => $$"""{"id":{{n}},"note":"{{new string('x', 500)}}"}""" + "\n")));
        using var opened = await client.Http.PostAsJsonAsync("/v1/batches", new
        {
            dataset = "produced",
            columns = new object[] { new { name = "id", type = "bigint" }, new { name = "note", type = "text" } },
            key = "id",
            format = "ndjson",
            compression = "none",
            maxFileBytes = 128 << 10,
            files = new[] { new
            {
                name = "all",
                bytes = file.Length,
                sha256 = Convert.ToHexStringLower(SHA256.HashData(file)),
                records = Records,
            } },
        });
        Assert.Equal(HttpStatusCode.Created, opened.StatusCode);
        return ((await opened.Content.ReadFromJsonAsync<UploadBatch>(ClaimCheckJson.Options))!, file);
    }

    private static async Task<Export> SendAndPublishAsync(Client client, UploadBatch batch, byte[] file)
    {
        using var sent = await client.Http.PutAsync($"/v1/batches/{batch.BatchId}/files/all", new ByteArrayContent(file));
        Assert.Equal(HttpStatusCode.NoContent, sent.StatusCode);
        using var published = await client.Http.PostAsync($"/v1/batches/{batch.BatchId}/publish", null);
        Assert.Equal(HttpStatusCode.Accepted, published.StatusCode);
        return (await published.Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options))!;
    }

    // Half of the bytes, and then nothing more, nor an end.
    private sealed class HalfStream(byte[] bytes) : MemoryStream(bytes, 0, bytes.Length / 2)
    {
        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (await base.ReadAsync(buffer, cancellationToken) is var count and > 0)
                return count;
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }
}
