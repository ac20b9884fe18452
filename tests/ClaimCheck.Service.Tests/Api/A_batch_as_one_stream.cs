using System.Text;
using System.Text.Json;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class A_batch_as_one_stream(ApiService service)
{
    private const string Several =
        """{ "dataset": "big", "criteria": { "rows": 6000 }, "maxFileBytes": 65536, "format": "csv", "compression": "none" }""";

    [Theory]
    [InlineData("csv", "none", "text/csv; charset=utf-8")]
    [InlineData("csv", "gzip", "application/gzip")]
    [InlineData("ndjson", "none", "application/x-ndjson")]
    [InlineData("ndjson", "gzip", "application/gzip")]
    public async Task It_is_the_files_one_after_another_with_one_header(string format, string compression, string type)
    {
        var export = await service.Http.ReadyAsync(
            Several.Replace("csv", format, StringComparison.Ordinal).Replace("none", compression, StringComparison.Ordinal));
        var files = await FilesAsync(export);
        Assert.True(files.Count > 1);

        var answer = await DataAsync(export);

        Assert.Equal(
            (200, type, "bytes", "no-store"),
            (answer.Status, answer.Header("Content-Type"), answer.Header("Accept-Ranges"), answer.Header("Cache-Control")));
        Assert.Null(answer.Header("Content-Encoding"));
        var lines = Lines(answer.Body, compression);
        Assert.Equal(format == "csv" ? 6001 : 6000, lines.Length);
        var expected = files.SelectMany((file, at) => Lines(file, compression).Skip(format == "csv" && at > 0 ? 1 : 0));
        Assert.Equal(expected, lines);
        Assert.Equal(format == "csv" ? "id,name" : lines[0], lines[0]);
        var head = await service.Http.SendAsync("HEAD", export.Link("batch") + "/data");
        Assert.Equal(
            (200, answer.Header("ETag"), answer.Body.Length.ToString(), 0),
            (head.Status, head.Header("ETag"), head.Header("Content-Length"), head.Body.Length));
    }

    [Fact]
    public async Task Any_range_of_it_can_be_had()
    {
        var export = await service.Http.ReadyAsync(Several);
        var whole = await DataAsync(export);
        var size = whole.Body.Length;
        var first = (await FilesAsync(export))[0].Length;

        var ranges = new (string Range, int From, int To)[]
        {
            ("bytes=0-0", 0, 0),
            ("bytes=0-99", 0, 99),
            ("bytes=100-", 100, size - 1),
            ("bytes=-1", size - 1, size - 1),
            ("bytes=-100", size - 100, size - 1),
            ($"bytes=-{size + 100}", 0, size - 1),
            ($"bytes=0-{size + 100}", 0, size - 1),
            ($"bytes={first - 1}-{first}", first - 1, first),
            ($"bytes={first}-{first}", first, first),
            ($"bytes={first - 10}-{(3 * first) + 10}", first - 10, (3 * first) + 10),
            ($"bytes={size - 1}-", size - 1, size - 1),
        };
        foreach (var (range, from, to) in ranges)
        {
            var part = await DataAsync(export, ("Range", range));
            Assert.Equal(
                (206, $"bytes {from}-{to}/{size}", whole.Header("ETag")),
                (part.Status, part.Header("Content-Range"), part.Header("ETag")));
            Assert.True(whole.Body.AsSpan(from, to - from + 1).SequenceEqual(part.Body), range);
        }

        foreach (var (random, at) in Enumerable.Range(0, 40).Select(at => (new Random(at), at)))
        {
            var from = random.Next(size);
            var to = random.Next(from, size);
            var part = await DataAsync(export, ("Range", $"bytes={from}-{to}"));
            Assert.True(
                part.Status == 206 && whole.Body.AsSpan(from, to - from + 1).SequenceEqual(part.Body), $"{at}: {from}-{to}");
        }

        foreach (var range in (string[])[$"bytes={size}-", $"bytes={size}-{size + 1}", "bytes=-0"])
        {
            var refused = await DataAsync(export, ("Range", range));
            refused.IsProblem(416, "range_not_satisfiable");
            Assert.Equal($"bytes */{size}", refused.Header("Content-Range"));
        }

        Assert.Equal(
            200, (await service.Http.SendAsync("HEAD", export.Link("batch") + "/data", null, ("Range", "bytes=0-9"))).Status);
        foreach (var range in (string[])["items=0-1", "bytes=5-1", "bytes=a-b", "bytes=", "bytes=0-1,5-6",
            "bytes=99999999999999999999-"])
        {
            var ignored = await DataAsync(export, ("Range", range));
            Assert.True(ignored.Status == 200 && ignored.Body.Length == size, $"{range}: {ignored.Status}");
        }
    }

    [Theory]
    [InlineData("csv", 6000)]
    [InlineData("ndjson", 6000)]
    [InlineData("csv", 10)]
    [InlineData("ndjson", 0)]
    public async Task Any_range_of_one_gzip_member_can_be_had_at_every_seam_of_it(string format, int rows)
    {
        var export = await service.Http.ReadyAsync(
            $$"""{ "dataset": "big", "criteria": { "rows": {{rows}} }, "maxFileBytes": 65536, "format": "{{format}}" }""");
        var whole = await DataAsync(export);
        var size = whole.Body.Length;
        Assert.Equal(rows, Lines(whole.Body, "gzip").Length - (format == "csv" ? 1 : 0));
        // Every beginning and end of a file's part, of the header, of the column names and of the end.
        var manifest = (await service.Http.GetAsync(export.Link("manifest"))).Json;
        var seams = new SortedSet<int> { 0, 10, size - 10, size - 8, size - 4, size };
        var at = 0;
        foreach (var (file, number) in manifest.GetProperty("files").EnumerateArray().Select((file, number) => (file, number)))
        {
            var blocks = (await service.Http.GetAsync(file.GetProperty("index").Text("url")!)).Json.GetProperty("blocks");
            var header = blocks.GetArrayLength() > 0 ? blocks[0].GetProperty("offset").GetInt32() : 0;
            seams.Add(header);
            at += file.GetProperty("bytes").GetInt32() - 10 - (number > 0 ? header : 0);
            seams.Add(at);
        }

        Assert.Equal(size - 10, at);
        var ranges = seams.SelectMany(seam => new[] { (seam - 1, seam), (seam, seam), (seam - 3, seam + 3) })
            .Concat(seams.Zip(seams.Skip(1), (from, to) => (from, to - 1)))
            .Append((1, size - 2))
            .Where(range => range.Item1 >= 0 && range.Item2 < size);
        foreach (var (from, to) in ranges)
        {
            var part = await DataAsync(export, ("Range", $"bytes={from}-{to}"), ("If-Range", whole.Header("ETag")!));
            Assert.Equal((206, $"bytes {from}-{to}/{size}"), (part.Status, part.Header("Content-Range")));
            Assert.True(whole.Body.AsSpan(from, to - from + 1).SequenceEqual(part.Body), $"{from}-{to}");
        }

        for (var suffix = 1; suffix <= 12; suffix++)
            Assert.Equal(whole.Body[^suffix..], (await DataAsync(export, ("Range", $"bytes=-{suffix}"))).Body);
        var head = await service.Http.SendAsync("HEAD", export.Link("batch") + "/data");
        Assert.Equal((whole.Header("ETag"), $"{size}"), (head.Header("ETag"), head.Header("Content-Length")));
    }

    [Fact]
    public async Task Conditions_are_held_against_its_etag()
    {
        var export = await service.Http.ReadyAsync(Several);
        var etag = (await DataAsync(export)).Header("ETag")!;

        Assert.StartsWith("\"", etag, StringComparison.Ordinal);
        Assert.Equal(206, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Match", etag))).Status);
        Assert.Equal(206, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Match", "*"))).Status);
        Assert.Equal(206, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Match", $"\"other\", {etag}"))).Status);
        (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Match", "\"other\""))).IsProblem(412, "precondition_failed");
        (await DataAsync(export, ("If-Match", $"W/{etag}"))).IsProblem(412, "precondition_failed");
        Assert.Equal(206, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Range", etag))).Status);
        Assert.Equal(200, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Range", "\"other\""))).Status);
        Assert.Equal(200, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Range", $"W/{etag}"))).Status);
        foreach (var odd in (string[])["nonsense", "\"cut", "*", ""])
            Assert.Equal(200, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Range", odd))).Status);
        Assert.Equal(
            200, (await DataAsync(export, ("Range", "bytes=0-9"), ("If-Range", "Fri, 01 Jan 2100 00:00:00 GMT"))).Status);
    }

    [Theory]
    [InlineData("csv", "none", "id,name\n")]
    [InlineData("csv", "gzip", "id,name\n")]
    [InlineData("ndjson", "none", "")]
    [InlineData("ndjson", "gzip", "")]
    public async Task An_empty_batch_is_its_header_alone(string format, string compression, string expected)
    {
        var export = await service.Http.ReadyAsync(
            $$"""{ "dataset": "items", "format": "{{format}}", "compression": "{{compression}}", "criteria": { "least": 99999 } }""");

        var answer = await DataAsync(export);

        Assert.Equal((200, expected), (answer.Status, Text(answer.Body, compression)));
        if (answer.Body.Length == 0)
            (await DataAsync(export, ("Range", "bytes=0-"))).IsProblem(416, "range_not_satisfiable");
    }

    [Fact]
    public async Task A_slow_reader_is_cut_off_by_a_revocation()
    {
        var export = await service.Http.ReadyAsync(
            """{ "dataset": "big", "criteria": { "rows": 150000 }, "compression": "none" }""");
        var size = (await service.Http.GetAsync(export.Link("batch"))).Json.GetProperty("bytes").GetInt64();
        Assert.True(size > 30_000_000);
        var read = await SlowReader.ReadAsync(
            service.Http, $"/v1/batches/{export.Text("batchId")}/data", "", () =>
                service.Http.SendAsync("DELETE", export.Link("batch")));

        Assert.True(read < size, $"All {read} bytes came.");
        (await DataAsync(export)).IsProblem(410, "batch_revoked");
    }

    private Task<Answer> DataAsync(JsonElement export, params (string, string)[] headers) =>
        service.Http.GetAsync(export.Link("batch") + "/data", headers);

    private async Task<List<byte[]>> FilesAsync(JsonElement export)
    {
        var manifest = (await service.Http.GetAsync(export.Link("manifest"))).Json;
        var files = new List<byte[]>();
        foreach (var file in manifest.GetProperty("files").EnumerateArray())
            files.Add((await service.Http.GetAsync(file.Text("url")!)).Body);
        return files;
    }

    private static string[] Lines(byte[] bytes, string compression) =>
        Text(bytes, compression).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Text(byte[] bytes, string compression)
    {
        return Encoding.UTF8.GetString(compression == "gzip" ? OneMember.Read(bytes) : bytes);
    }
}
