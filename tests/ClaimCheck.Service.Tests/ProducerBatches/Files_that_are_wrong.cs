using System.Text;
using ClaimCheck.Service.ProducerBatches;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.ProducerBatches;

[Collection(UploadTests.Name)]
public sealed class Files_that_are_wrong(UploadServices services)
{
    private static readonly ProducedFile Good = ProducedFile.Csv("good.csv.gz", "id,note\n1,one\n", 1);

    [Fact]
    public async Task What_comes_through_the_service_is_refused_at_once()
    {
        var client = services.Folder;
        var batch = await client.OpenAsync("csv", "gzip", Good);
        foreach (var bytes in (byte[][])[[.. Good.Bytes, 0], Good.Bytes[1..], [.. Good.Bytes[..^1], 99], []])
        {
            var answer = await client.SendAsync(batch, Good with { Bytes = bytes });
            answer.IsProblem(422, "upload_mismatch");
            Assert.Equal(["files.good.csv.gz"], answer.Json.GetProperty("errors").Names());
            var byLink = await UploadClient.SendByLinkAsync(UploadClient.LinkOf(batch, 0), bytes);
            Assert.Equal(422, byLink.Status);
        }

        using var endless = new StreamContent(new Unmeasured(4 << 20));
        (await client.Http.SendAsync("PUT", $"/v1/batches/{batch.Text("batchId")}/files/{Good.Name}", endless))
            .IsProblem(422, "upload_mismatch");
        (await client.PublishAsync(batch)).IsProblem(409, "upload_incomplete");
        (await client.SendAsync(batch, Good with { Name = "other" })).IsProblem(404, "not_found");
        Assert.Equal(204, (await client.SendAsync(batch, Good)).Status);
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
    }

    [Fact]
    public async Task What_has_not_arrived_whole_is_named_and_the_batch_stays_open()
    {
        var client = services.S3;
        var missing = ProducedFile.Csv("missing.csv.gz", "id,note\n2,two\n", 1);
        var shorter = ProducedFile.Csv("shorter.csv.gz", "id,note\n3,three\n", 1);
        var batch = await client.OpenAsync("csv", "gzip", Good, missing, shorter);
        Assert.Equal(200, (await UploadClient.SendByLinkAsync(UploadClient.LinkOf(batch, 0), Good.Bytes)).Status);
        Assert.Equal(403, (await UploadClient.SendByLinkAsync(UploadClient.LinkOf(batch, 2), shorter.Bytes[1..])).Status);
        var refused = await client.PublishAsync(batch);
        refused.IsProblem(409, "upload_incomplete");
        Assert.Equal(["files.missing.csv.gz", "files.shorter.csv.gz"], refused.Json.GetProperty("errors").Names());
        Assert.Equal(200, (await UploadClient.SendByLinkAsync(UploadClient.LinkOf(batch, 1), missing.Bytes)).Status);
        Assert.Equal(200, (await UploadClient.SendByLinkAsync(UploadClient.LinkOf(batch, 2), shorter.Bytes)).Status);
        Assert.Equal("ready", (await client.PublishAsync(batch)).Json.Text("state"));
    }

    [Fact]
    public async Task What_a_link_has_written_is_held_against_its_digest()
    {
        var other = ProducedFile.Csv("x.csv.gz", "id,note\n9,nine\n", 1);
        await FailsAsync(
            services.S3, "upload_mismatch", "SHA-256 of x.csv.gz", "csv", "gzip", other with { Sha256 = new string('a', 64) });
        // Also where it can't be read at all.
        await FailsAsync(services.S3, "upload_mismatch", "SHA-256 of x.csv.gz", "csv", "gzip", new ProducedFile(
            "x.csv.gz", new byte[100], 1, new string('a', 64)));
    }

    [Theory]
    [InlineData("id,note\n1,one\n2,two\n", 1, "upload_mismatch", "more than the 1 records")]
    [InlineData("id,note\n1,one\n", 2, "upload_mismatch", "has 1 records, but 2")]
    [InlineData("id,note\n", 1, "upload_mismatch", "has 0 records, but 1")]
    [InlineData("1,one\n", 1, "upload_malformed", "header")]
    [InlineData("note,id\none,1\n", 1, "upload_malformed", "header")]
    [InlineData("id,note,more\n1,one,x\n", 1, "upload_malformed", "header")]
    [InlineData("id\n1\n", 1, "upload_malformed", "header")]
    [InlineData("id,note\n1\n", 1, "upload_malformed", "Record 1")]
    [InlineData("id,note\n1,one\n2,two,three\n", 2, "upload_malformed", "Record 2")]
    [InlineData("id,note\n,one\n", 1, "upload_malformed", "has no key")]
    [InlineData("id,note\n1,o\"ne\n", 1, "upload_malformed", "Record 1")]
    [InlineData("id,note\n1,\"one\"x\n", 1, "upload_malformed", "Record 1")]
    [InlineData("id,note\n1,\"one\n2,two\n", 1, "upload_malformed", "Record 1")]
    [InlineData("id,note\n1,one\n\n", 1, "upload_malformed", "Record 2")]
    public async Task Malformed_CSV_fails_and_says_where(string text, long records, string code, string detail) =>
        await FailsAsync(services.Folder, code, detail, "csv", "gzip", ProducedFile.Csv("x.csv.gz", text, records));

    [Theory]
    [InlineData("""{ "id": 1, "note": null }[]""", "upload_malformed")]
    [InlineData("""{ "id": 1 }""", "upload_malformed")]
    [InlineData("""{ "id": 1, "note": "a", "more": 1 }""", "upload_malformed")]
    [InlineData("""{ "id": 1, "note": "a", "note": "b" }""", "upload_malformed")]
    [InlineData("""{ "note": "a", "id": 1 }""", "upload_malformed")]
    [InlineData("""{ "id": null, "note": "a" }""", "upload_malformed")]
    [InlineData("""[1, "a"]""", "upload_malformed")]
    [InlineData("""{ "id": 1, "note": "a" """, "upload_malformed")]
    [InlineData("1", "upload_malformed")]
    public async Task Malformed_NDJSON_fails(string line, string code) =>
        await FailsAsync(services.Folder, code, "x.ndjson", "ndjson", "none", new ProducedFile(
            "x.ndjson", Encoding.UTF8.GetBytes(line + "\n"), 1));

    [Fact]
    public async Task Two_records_of_one_key_fail_the_batch_also_in_two_files_and_by_the_text_that_readers_see()
    {
        await FailsAsync(services.Folder, "key_not_unique", "Record 3 has the key of record 1.", "csv", "gzip", ProducedFile.Csv(
            "x.csv.gz", "id,note\n7,a\n8,b\n\"7\",c\n", 3));
        await FailsAsync(
            services.Folder, "key_not_unique", "Record 2 has the key of record 1.", "ndjson", "none",
            new ProducedFile("x.ndjson", "{\"id\":\"a\",\"note\":1}\n{\"id\":\"\\u0061\",\"note\":2}\n"u8.ToArray(), 2));
        var published = await services.Folder.PublishedAsync(
            "csv", "gzip", ProducedFile.Csv("a.csv.gz", "id,note\n1,a\n2,b\n", 2), ProducedFile.Csv(
                "b.csv.gz", "id,note\n3,a\n1,b\n", 2));
        Assert.Equal(("failed", "key_not_unique"), (published.Text("state"), published.GetProperty("failure").Text("code")));
        Assert.Contains(
            "Record 4 has the key of record 1.", published.GetProperty("failure").Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_gzip_or_is_cut_off_or_is_not_UTF8_fails()
    {
        var whole = ProducedFile.Csv("x", "id,note\n1,one\n", 1).Bytes;
        await FailsAsync(services.Folder, "upload_malformed", "x.gz", "csv", "gzip", new ProducedFile(
            "x.gz", Encoding.UTF8.GetBytes("id,note\n1,one\n"), 1));
        await FailsAsync(services.Folder, "upload_malformed", "x.gz", "csv", "gzip", new ProducedFile("x.gz", whole[..^9], 1));
        await FailsAsync(services.Folder, "upload_malformed", "x.gz", "csv", "gzip", new ProducedFile("x.gz", whole[..^3], 1));
        await FailsAsync(services.Folder, "upload_malformed", "UTF-8", "csv", "none", new ProducedFile(
            "x.csv", [.. "id,note\n1,"u8, 0xFF, .. "\n"u8], 1));
    }

    [Fact]
    public async Task A_small_file_that_unpacks_to_a_huge_one_is_not_unpacked()
    {
        var line = new byte[50 << 20];
        Array.Fill(line, (byte)'x');
        await FailsAsync(services.Folder, "upload_record_too_large", "Record 1", "csv", "gzip", new ProducedFile(
            "bomb.gz", ProducedFile.Gzip("id,note\n1,"u8.ToArray(), line), 1));
        var records = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("1,x\n", 1 << 20)));
        await FailsAsync(
            services.Folder, "upload_mismatch", "more than the 10 records", "csv", "gzip",
            new ProducedFile("bomb.gz", ProducedFile.Gzip(["id,note\n"u8.ToArray(), .. Enumerable.Repeat(records, 20)]), 10));
        // Also where each record, and their number, is as announced.
        var padded = Encoding.UTF8.GetBytes("1," + new string('x', 1_000_000) + "\n");
        await FailsAsync(
            services.Folder, "upload_unpacks_too_far", "100 times its size", "csv", "gzip",
            new ProducedFile("bomb.gz", ProducedFile.Gzip(["id,note\n"u8.ToArray(), .. Enumerable.Repeat(padded, 200)]), 200));
    }

    [Fact]
    public void All_files_of_a_batch_together_have_a_budget_to_unpack_to()
    {
        var budget = new UnpackBudget(new ProducerBatchesOptions { MaxUnpackedBytes = 1000 });
        var file = new ProducerFile(1, "a", 500, [], Records: 1, null, null, null);
        budget.Take(file, 600, 600, 500);
        budget.Take(file with { Name = "b" }, 400, 400, 500);
        Assert.Equal("upload_unpacks_too_far", Assert.Throws<SourceException>(() => budget.Take(file, 1, 401, 500)).Code);
    }

    [Fact]
    public async Task Every_field_that_does_not_fit_is_named()
    {
        var client = services.Folder;
        (await client.Http.PostAsync("/v1/batches", "{}")).IsInvalid("dataset", "columns", "files");
        (await client.Http.PostAsync("/v1/batches", """
            { "dataset": "Not a name", "columns": [{ "name": "a" }], "key": "b", "format": "xml", "retention": "P1Y", "files": [], "more": 1 }
            """)).IsInvalid("dataset", "columns", "format", "retention", "files", "more");
        (await client.Http.PostAsync("/v1/batches", """
            { "dataset": "own", "columns": [{ "name": "a", "type": "text" }], "key": "b",
              "files": [{ "name": "../x", "bytes": 0, "sha256": "abc", "records": -1 }, 1, { "name": "a", "bytes": 1, "sha256": "", "extra": 1 }] }
            """)).IsInvalid(
            "key", "files[0].name", "files[0].sha256", "files[0].bytes", "files[0].records", "files[1]", "files[2].sha256",
            "files[2].records", "files[2].extra");
        (await client.Http.PostAsync(
            "/v1/batches", """{ "dataset": "items", "columns": [], "key": "id", "schemaVersion": 2, "files": [] }"""))
            .IsInvalid("columns", "key", "schemaVersion", "files");
        (await client.Http.PostAsync("/v1/batches", "[]")).IsProblem(400, "malformed_json");
        (await client.Http.GetAsync("/v1/batches/bat_00000000000000000000000000000000/uploads")).IsProblem(404, "not_found");
        var export = await client.Http.ReadyAsync("""{ "dataset": "items" }""");
        (await client.Http.GetAsync($"/v1/batches/{export.Text("batchId")}/uploads")).IsProblem(404, "not_found");
        (await client.PublishAsync(export)).IsProblem(404, "not_found");
    }

    private static async Task FailsAsync(
        UploadClient client, string code, string detail, string format, string compression, ProducedFile file)
    {
        var published = await client.PublishedAsync(format, compression, file);
        Assert.Equal(("failed", code), (published.Text("state"), published.GetProperty("failure").Text("code")));
        Assert.Contains(detail, published.GetProperty("failure").Text("detail"), StringComparison.Ordinal);
        var prefix = $"batches/{published.Text("batchId")}/";
        if (client.Scene.Bucket is null)
            await Eventually.TrueAsync(() => Task.FromResult(!Directory.Exists(Path.Combine(client.Scene.Staging, prefix))));
    }

    // A body whose length nobody knows beforehand.
    private sealed class Unmeasured(int length) : MemoryStream(new byte[length])
    {
        public override bool CanSeek => false;
    }
}
