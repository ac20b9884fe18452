using System.Text.Json;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.ProducerBatches;

[Collection(UploadTests.Name)]
public sealed class Batches_that_are_not_published(UploadServices services)
{
    private static readonly ProducedFile File = ProducedFile.Csv("x.csv.gz", "id,note\n1,one\n", 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelled_it_takes_nothing_by_whatever_way(bool onS3)
    {
        var client = services.Of(onS3);
        var batch = await client.OpenAsync("csv", "gzip", File);
        Assert.Equal(204, (await client.SendAsync(batch, File)).Status);
        var report = await client.Http.SendAsync("DELETE", $"/v1/batches/{batch.Text("batchId")}");
        Assert.Equal((200, "cancelled"), (report.Status, report.Json.Text("state")));
        Assert.Equal(1, report.Json.GetProperty("objects").GetProperty("deleted").GetInt32());

        (await client.SendAsync(batch, File)).IsProblem(410, "export_cancelled");
        (await client.PublishAsync(batch)).IsProblem(410, "export_cancelled");
        var shown = (await client.Http.GetAsync($"/v1/batches/{batch.Text("batchId")}/uploads")).Json;
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("files")[0].GetProperty("link").ValueKind);
        var late = await UploadClient.SendByLinkAsync(UploadClient.LinkOf(batch, 0), File.Bytes);
        Assert.Equal(onS3 ? 404 : 409, late.Status);
        Assert.Equal(0, await client.InboxAsync(batch));
    }

    [Fact]
    public async Task In_time_it_is_cancelled()
    {
        var client = services.Folder;
        var batch = await client.OpenAsync("csv", "gzip", File);
        Assert.Equal(204, (await client.SendAsync(batch, File)).Status);
        await Scene.SqlAsync(
            client.Scene.Catalog,
            $"UPDATE producer_batches SET open_until = now(), next_look_at = now() WHERE batch_id = '{IdOf(batch)}'");
        (await client.PublishAsync(batch)).IsProblem(410, "export_cancelled"); // also before a sweep has come by
        (await client.SendAsync(batch, File)).IsProblem(410, "export_cancelled");
        await Eventually.TrueAsync(
            async () => (await client.Http.GetAsync($"/v1/exports/{batch.Text("exportId")}")).Json.Text("state") == "cancelled");
        await Eventually.TrueAsync(async () => await client.InboxAsync(batch) == 0);
        (await client.PublishAsync(batch)).IsProblem(410, "export_cancelled");
        Assert.Contains("published in time",
            (await client.Http.GetAsync($"/v1/batches/{batch.Text("batchId")}")).Json.Text("reason"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_open_and_no_worker_takes_it(bool ofTheVersionBefore)
    {
        var batch = await services.Folder.OpenAsync("csv", "gzip", File);
        if (ofTheVersionBefore)
            await OpenAsBeforeAsync(batch);
        await services.Folder.Http.ReadyAsync("""{ "dataset": "items" }"""); // a worker has looked since
        var export = (await services.Folder.Http.GetAsync($"/v1/exports/{batch.Text("exportId")}")).Json;
        Assert.Equal(("open", "produced"), (export.Text("state"), export.Text("dataset")));
        Assert.Equal("open", (await services.Folder.Http.GetAsync($"/v1/batches/{batch.Text("batchId")}")).Json.Text("state"));
        Assert.True(await IsListedAsync(batch, "open"));
        Assert.False(await IsListedAsync(batch, "pending"));
        (await services.Folder.Http.GetAsync($"/v1/batches/{batch.Text("batchId")}/manifest")).IsProblem(409, "not_ready");
        Assert.Equal(204, (await services.Folder.SendAsync(batch, File)).Status);
        Assert.Equal("ready", (await services.Folder.PublishAsync(batch)).Json.Text("state"));
    }

    [Fact]
    public async Task A_link_to_write_reads_nothing_and_a_link_to_read_writes_nothing()
    {
        var client = services.Folder;
        var batch = await client.OpenAsync("csv", "gzip", File);
        var link = UploadClient.LinkOf(batch, 0);
        Assert.Equal(200, (await UploadClient.SendByLinkAsync(link, File.Bytes)).Status);
        (await client.Http.GetAsync(new Uri(link).PathAndQuery)).IsProblem(403, "link_invalid");
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
        var manifest = (await client.Http.GetAsync($"/v1/batches/{batch.Text("batchId")}/manifest")).Json;
        var read = manifest.GetProperty("files")[0].Text("url")!;
        Assert.Contains((await UploadClient.SendByLinkAsync(read, File.Bytes)).Status, (int[])[403, 404, 405]);
        Assert.Equal(403, (await UploadClient.SendByLinkAsync(
            link.Replace("00001", "00002", StringComparison.Ordinal), File.Bytes)).Status);
    }

    // What a process of the version before writes: it also drops the next look at a batch whose state it doesn't know.
    private Task OpenAsBeforeAsync(JsonElement batch) => Scene.SqlAsync(
        services.Folder.Scene.Catalog,
        $"""
        UPDATE exports SET state = 'pending', next_try_at = 'infinity' WHERE batch_id = '{IdOf(batch)}';
        UPDATE producer_batches SET next_look_at = NULL WHERE batch_id = '{IdOf(batch)}';
        DO $$ BEGIN
            ASSERT (SELECT next_look_at >= open_until FROM producer_batches WHERE batch_id = '{IdOf(batch)}');
        END $$;
        """);

    private async Task<bool> IsListedAsync(JsonElement batch, string state) =>
        (await services.Folder.Http.GetAsync($"/v1/exports?state={state}&dataset=produced&limit=1000")).Items()
            .Any(export => export.Text("batchId") == batch.Text("batchId"));

    private static Guid IdOf(JsonElement batch) => Guid.Parse(batch.Text("batchId")![4..]);
}
