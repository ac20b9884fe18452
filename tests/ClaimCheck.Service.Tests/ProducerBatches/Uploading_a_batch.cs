using System.Text;
using System.Text.Json;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.ProducerBatches;

[Collection(UploadTests.Name)]
public sealed class Uploading_a_batch(UploadServices services)
{
    private static readonly ProducedFile First = ProducedFile.Csv(
        "a.csv.gz", "id,note\n1,one\n2,\n3,\"a \"\"quoted\"\",\nline\"\n", 3);
    private static readonly ProducedFile Second = ProducedFile.Csv("b.csv.gz", "\uFEFF\"id\",note\r\n4,four\r\n5,é😀", 2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Through_the_service_it_becomes_a_batch_like_any_other(bool onS3)
    {
        var client = services.Of(onS3);
        var batch = await client.OpenAsync("csv", "gzip", First, Second);
        Assert.Equal("open", batch.Text("state"));
        Assert.Equal(204, (await client.SendAsync(batch, Second)).Status);
        Assert.Equal(204, (await client.SendAsync(batch, First)).Status);
        Assert.Equal(204, (await client.SendAsync(batch, First)).Status); // again
        var shown = (await client.Http.GetAsync(new Uri(batch.Link("self")).PathAndQuery)).Json;
        Assert.All(shown.GetProperty("files").EnumerateArray(), file => Assert.True(file.GetProperty("received").GetBoolean()));

        var published = await client.PublishAsync(batch);

        Assert.Equal((200, "ready"), (published.Status, published.Json.Text("state")));
        Assert.Equal("id,note\n1,one\n2,\n3,\"a \"\"quoted\"\",\nline\"\n4,four\n5,é😀\n", await client.TextAsync(batch));
        var manifest = (await client.Http.GetAsync($"/v1/batches/{batch.Text("batchId")}/manifest")).Json;
        Assert.Equal(("produced", "id", 5, null), (manifest.Text("dataset"), manifest.Text("key"),
            manifest.GetProperty("records").GetInt32(), manifest.Text("orderedBy")));
        Assert.Equal(["id", "note"], manifest.GetProperty("columns").EnumerateArray().Select(column => column.Text("name")));
        await Eventually.TrueAsync(async () => await client.InboxAsync() == 0);
        var ready = await Eventually.NotNullAsync(async () =>
            (await EventsAsync(client, batch)).SingleOrDefault(e => e == EventTypes.ToCloudEventType(EventTypes.BulkReady)));
        Assert.NotNull(ready);

        var report = await client.Http.SendAsync("DELETE", $"/v1/batches/{batch.Text("batchId")}");
        Assert.Equal((200, "revoked"), (report.Status, report.Json.Text("state")));
        (await client.PublishAsync(batch)).IsProblem(410, "batch_revoked");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task By_links_and_read_by_the_library(bool onS3)
    {
        var client = services.Of(onS3);
        var lines = string.Concat(Enumerable.Range(1, 5000)
            .Select(n => $$"""{ "id": {{n}}, "note": "entry {{n}} {{new string((char)('a' + (n % 26)), 300)}}" }""" + "\n"));
        var file = new ProducedFile("all.ndjson", Encoding.UTF8.GetBytes(lines), 5000);
        var batch = await client.OpenAsync("ndjson", "none", file);
        Assert.Equal((200, ""), await UploadClient.SendByLinkAsync(UploadClient.LinkOf(batch, 0), file.Bytes));
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));

        using var library = new ClaimCheckClient(client.Http.Address);
        using var reader = new BatchReader(library, new BatchReaderOptions { AllowedLinkHosts = ["127.0.0.1"] });
        Assert.True(BatchId.TryParse(batch.Text("batchId"), out var id));
        var next = 1;
        await foreach (var record in reader.ReadAsync<Entry>(id, CancellationToken.None))
        {
            Assert.StartsWith($"entry {record.Id} ", record.Note, StringComparison.Ordinal);
            Assert.Equal(next++, record.Id);
        }

        Assert.Equal(5001, next);
    }

    [Fact]
    public async Task In_parts_at_S3()
    {
        var client = services.S3;
        var lines = string.Concat(
            Enumerable.Range(1, 12_000).Select(n => $$"""{"id":{{n}},"note":"{{new string('x', 1000)}}"}""" + "\n"));
        var file = new ProducedFile("large.ndjson", Encoding.UTF8.GetBytes(lines), 12_000);
        var batch = await client.OpenAsync("ndjson", "none", file);
        var multipart = new Uri(batch.GetProperty("files")[0].Text("multipart")!).PathAndQuery;
        var begun = (await client.Http.SendAsync("POST", multipart)).Json;
        var parts = begun.GetProperty("parts").EnumerateArray().ToList();
        Assert.Equal(3, parts.Count);
        for (var at = 2; at > 0; at--)
            await SendPartAsync(at);
        (await client.Http.SendAsync("POST", multipart + "/complete")).IsProblem(422, "upload_mismatch");
        // fresh links to the same upload
        parts = [.. (await client.Http.SendAsync("POST", multipart)).Json.GetProperty("parts").EnumerateArray()];
        await SendPartAsync(0);
        Assert.Equal(204, (await client.Http.SendAsync("POST", multipart + "/complete")).Status);
        Assert.Equal(204, (await client.Http.SendAsync("POST", multipart + "/complete")).Status); // again
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));

        async Task SendPartAsync(int at)
        {
            var size = begun.GetProperty("partBytes").GetInt32();
            var sent = await UploadClient.SendByLinkAsync(
                parts[at].GetProperty("link").Text("url")!,
                file.Bytes[(at * size)..Math.Min((at + 1) * size, file.Bytes.Length)]);
            Assert.True(sent.Status == 200, sent.Text);
        }
    }

    [Fact]
    public async Task What_failed_of_it_can_t_be_retried_and_the_refusal_says_what_can()
    {
        var client = services.Folder;
        var batch = await client.OpenAsync("csv", "gzip", First);
        await client.SendAsync(batch, First);
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
        var path = $"/v1/batches/{batch.Text("batchId")}";
        Assert.Equal(200, (await client.Http.PostAsync(
            path + "/receipts/crm/failures", """[ { "key": "1", "class": "transient", "code": "db_down" } ]""")).Status);
        var receipt = await client.Http.SendAsync("PUT", path + "/receipts/crm", ApiClient.Json(
            """{ "state": "partiallyFailed", "succeeded": 2, "transient": 1, "terminal": 0 }"""u8.ToArray()));
        Assert.Equal(
            (200, JsonValueKind.Null), (receipt.Status, receipt.Json.GetProperty("links").GetProperty("retry").ValueKind));

        var refused = await client.Http.PostAsync(path + "/retries", """{ "consumer": "crm" }""");

        refused.IsProblem(409, "nothing_to_retry");
        Assert.Contains("POST …/redeliveries", refused.Json.Text("detail"), StringComparison.Ordinal);
        Assert.Equal(202, (await client.Http.PostAsync(path + "/redeliveries", """{ "consumer": "crm" }""")).Status);
    }

    [Fact]
    public async Task A_folder_takes_no_parts()
    {
        var batch = await services.Folder.OpenAsync("csv", "gzip", First);
        Assert.Null(batch.GetProperty("files")[0].Text("multipart"));
        (await services.Folder.Http.SendAsync("POST", $"/v1/batches/{batch.Text("batchId")}/files/{First.Name}/multipart"))
            .IsProblem(409, "multipart_not_offered");
    }

    [Fact]
    public async Task Of_a_dataset_of_the_operator_s_it_has_that_one_s_columns()
    {
        var file = ProducedFile.Csv("items.csv.gz", "id,name\n1,x\n", 1);
        var opened = await services.Folder.TryOpenAsync(new { dataset = "items", files = new[] { file.Announced } });
        Assert.True(opened.Status == 201, opened.Text);
        Assert.Equal(204, (await services.Folder.SendAsync(opened.Json, file)).Status);
        Assert.Equal("ready", (await services.Folder.PublishAsync(opened.Json)).Json.Text("state"));
        Assert.Equal("id,name\n1,x\n", await services.Folder.TextAsync(opened.Json));
    }

    [Fact]
    public async Task Large_files_become_files_of_the_wanted_size_with_whole_records()
    {
        var client = services.Folder;
        var random = new Random(7);
        var bytes = new byte[300];
        var text = new StringBuilder("id,note\n");
        for (var n = 1; n <= 10_000; n++)
        {
            random.NextBytes(bytes);
            text.Append(n).Append(",\"").Append(Convert.ToBase64String(bytes)).Append("\n\"\"\"\n");
        }

        var file = ProducedFile.Csv("large.csv.gz", text.ToString(), 10_000);
        var published = await client.PublishedAsync("csv", "gzip", file);
        Assert.Equal("ready", published.Text("state"));
        var manifest = (await client.Http.GetAsync($"/v1/batches/{published.Text("batchId")}/manifest")).Json;
        Assert.InRange(manifest.GetProperty("files").GetArrayLength(), 3, 6);
        Assert.All(manifest.GetProperty("files").EnumerateArray(), part =>
            Assert.InRange(part.GetProperty("bytes").GetInt64(), 1, 1 << 20));
        Assert.Equal(text.ToString(), await client.TextAsync(published));
    }

    [Fact]
    public async Task Two_that_publish_at_once_publish_once()
    {
        var client = services.Folder;
        var batch = await client.OpenAsync("csv", "gzip", First);
        Assert.Equal(204, (await client.SendAsync(batch, First)).Status);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.PublishAsync(batch)));
        Assert.All(answers, answer => Assert.Equal((200, "ready"), (answer.Status, answer.Json.Text("state"))));
        Assert.Equal(202, (await client.PublishAsync(await OpenedAsync(client), wait: 0)).Status);
        await Eventually.TrueAsync(async () => (await EventsAsync(client, batch)).Length == 1);
        Assert.Equal(1, await Scene.ScalarAsync<int>(
            client.Scene.Catalog, $"SELECT leases FROM exports WHERE batch_id = '{Guid.Parse(batch.Text("batchId")![4..])}'"));
        (await client.SendAsync(batch, First)).IsProblem(409, "batch_not_open");
    }

    [Fact]
    public async Task An_idempotency_key_opens_one_batch()
    {
        var client = services.Folder;
        var body = UploadClient.Orders("csv", "gzip", First);
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => client.TryOpenAsync(body, key)));
        Assert.Single(answers, answer => answer.Status == 201);
        Assert.Single(answers.Select(answer => answer.Json.Text("batchId")).Distinct());
        (await client.TryOpenAsync(UploadClient.Orders("csv", "none", First), key)).IsProblem(409, "idempotency_key_reused");
    }

    private static async Task<JsonElement> OpenedAsync(UploadClient client)
    {
        var batch = await client.OpenAsync("csv", "gzip", First);
        Assert.Equal(204, (await client.SendAsync(batch, First)).Status);
        return batch;
    }

    private static async Task<string[]> EventsAsync(UploadClient client, JsonElement batch) =>
        [.. (await client.Http.GetAsync("/v1/events?limit=1000")).Items().Where(e => e.Text("subject") == batch.Text("batchId"))
            .Select(e => e.Text("type")!)];

    private sealed record Entry(long Id, string Note);
}
