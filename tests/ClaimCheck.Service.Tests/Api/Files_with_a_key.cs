namespace ClaimCheck.Service.Tests.Api;

/// <summary>A client that follows redirects may send its key to the link's host: a request with a key gets
/// the file itself.</summary>
[Collection(ApiTests.Name)]
public sealed class Files_with_a_key(ApiService service)
{
    private static readonly (string, string) Key = ("Authorization", "Bearer any");

    [Fact]
    public async Task With_an_Authorization_header_the_file_comes_as_its_link_gives_it()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items" }""");
        var file = (await service.Http.GetAsync(export.Link("manifest"))).Json.GetProperty("files")[0];
        foreach (var (name, promised)
            in new[] { (file.Text("name")!, file), ("part-00001.index.json", file.GetProperty("index")) })
        {
            var path = $"{export.Link("batch")}/files/{name}";
            var linked = await service.Http.GetAsync(promised.Text("url")!);

            var whole = await service.Http.GetAsync(path, Key);
            Assert.Equal(
                (200, linked.Header("Content-Type"), "bytes", "no-store", "no"), (whole.Status, whole.Header("Content-Type"),
                    whole.Header("Accept-Ranges"), whole.Header("Cache-Control"), whole.Header("X-Accel-Buffering")));
            Assert.Equal(
                (null, "Authorization", $"\"{promised.Text("sha256")}\""),
                (whole.Header("Location"), whole.Header("Vary"), whole.Header("ETag")));
            Assert.Contains(name, whole.Header("Content-Disposition"), StringComparison.Ordinal);
            Assert.Equal(linked.Body, whole.Body);

            var etag = whole.Header("ETag")!;
            var part = await service.Http.GetAsync(path, Key, ("Range", "bytes=5-9"), ("If-Range", etag));
            Assert.Equal(
                (206, $"bytes 5-9/{linked.Body.Length}", etag), (part.Status, part.Header("Content-Range"), part.Header("ETag")));
            Assert.Equal(linked.Body[5..10], part.Body);
            Assert.Equal(200, (await service.Http.GetAsync(path, Key, ("Range", "bytes=5-9"), ("If-Range", "\"other\""))).Status);
            (await service.Http.GetAsync(path, Key, ("If-Match", "\"other\""))).IsProblem(412, "precondition_failed");
            (await service.Http.GetAsync(path, Key, ("Range", $"bytes={linked.Body.Length}-")))
                .IsProblem(416, "range_not_satisfiable");
            var head = await service.Http.SendAsync("HEAD", path, null, Key);
            Assert.Equal(
                (200, etag, $"{linked.Body.Length}", 0),
                (head.Status, head.Header("ETag"), head.Header("Content-Length"), head.Body.Length));
        }

        (await service.Http.GetAsync($"{export.Link("batch")}/files/none", Key)).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task Without_one_it_is_a_redirect_to_a_link_for_the_same_method()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items", "criteria": { "least": 990 } }""");
        var path = $"{export.Link("batch")}/files/part-00001.csv.gz";

        var get = await service.Http.GetAsync(path);
        var head = await service.Http.SendAsync("HEAD", path);

        Assert.Equal((307, 307), (get.Status, head.Status));
        Assert.Equal(200, (await service.Http.GetAsync(get.Header("Location")!)).Status);
        Assert.Equal(200, (await service.Http.SendAsync("HEAD", head.Header("Location")!)).Status);
        (await service.Http.GetAsync(head.Header("Location")!)).IsProblem(403, "link_invalid");
    }

    [Fact]
    public async Task It_counts_as_a_redemption_and_ends_with_the_batch()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items" }""");
        var path = $"{export.Link("batch")}/files/part-00001.csv.gz";
        Assert.Equal(200, (await service.Http.GetAsync(path, Key, ("ClaimCheck-Consumer", "streamer"))).Status);

        var redeemed = (await service.Http.GetAsync(export.Link("batch"))).Json.GetProperty("redeemed").EnumerateArray();
        Assert.Contains(redeemed, row => row.Text("caller") == "streamer" && row.GetProperty("times").GetInt64() == 1);
        await service.Http.SendAsync("DELETE", export.Link("batch"));
        (await service.Http.GetAsync(path, Key)).IsProblem(410, "batch_revoked");
    }

    [Fact]
    public async Task A_slow_reader_of_a_file_is_cut_off_by_a_revocation()
    {
        var export = await service.Http.ReadyAsync(
            """{ "dataset": "big", "criteria": { "rows": 150000 }, "compression": "none" }""");
        var size = (await service.Http.GetAsync(export.Link("batch"))).Json.GetProperty("bytes").GetInt64();
        var read = await SlowReader.ReadAsync(
            service.Http, $"/v1/batches/{export.Text("batchId")}/files/part-00001.csv", "Authorization: Bearer any\r\n",
            () => service.Http.SendAsync("DELETE", export.Link("batch")));

        Assert.True(read < size, $"All {read} bytes came.");
    }
}
