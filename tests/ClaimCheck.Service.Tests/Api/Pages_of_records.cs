using System.Text;
using System.Text.Json;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>The records as pages of JSON.</summary>
[Collection(ApiTests.Name)]
public sealed class Pages_of_records(ApiService service)
{
    [Theory]
    [InlineData("csv", "gzip", 7)]
    [InlineData("csv", "none", 333)]
    [InlineData("ndjson", "gzip", 1000)]
    [InlineData("ndjson", "none", 10000)]
    public async Task Pages_hold_every_record_once_and_in_order(string format, string compression, int limit)
    {
        var export = await service.Http.ReadyAsync(
            $$"""{ "dataset": "items", "format": "{{format}}", "compression": "{{compression}}", "maxFileBytes": 65536 }""");
        var records = await AllAsync(export.Link("batch"), limit);
        Assert.Equal(
            Enumerable.Range(1, 1000).Select(i => (long)i), records.Select(record => record.GetProperty("id").GetInt64()));
        Assert.All(records, record => Assert.Equal(
            (record.GetProperty("id").GetInt64() % 7) switch
            {
                0 => null,
                1 => "",
                2 => $"a \"quoted\", {record.GetProperty("id").GetInt64()}\nline",
                _ => $"item {record.GetProperty("id").GetInt64()} é😀",
            },
            record.Text("name")));
    }

    [Fact]
    public async Task Csv_and_ndjson_give_the_same_pages()
    {
        service.Scene.AddDataset(
            "all_types",
            """
            SELECT g::bigint AS id, 12.50::numeric(12,2) AS money, 'NaN'::float8 AS nan, 1e-7::real AS tiny, g % 2 = 0 AS flag, NULL::int AS nothing,
                   '2026-01-02'::date AS day, '2026-01-02 03:04:05.5+02'::timestamptz(3) AS at, 'infinity'::timestamp AS never, '2026-01-02 03:04:05'::timestamp AS local,
                   '{"a": [1, null, "x, \"y\""]}'::jsonb AS doc, '\x00ff'::bytea AS bytes, ARRAY[1, NULL, 3] AS ints, ARRAY['a,b', '"', NULL, 'NULL'] AS texts,
                   ARRAY[ARRAY[1.5, 2], ARRAY[3, 4]] AS nested, gen_random_uuid() IS NULL AS no, 'x'::char(3) AS padded, interval '1 day 2 hours' AS took,
                   E'tab\tquote" comma, \\ back\r\nline' AS text, '' AS empty, ARRAY['2026-01-02 03:04:05+00'::timestamptz] AS times
              FROM generate_series(1, 3) g
            """);
        var other = await service.Scene.StartServiceAsync();
        using var http = new ApiClient(other.NewHttp());
        var csv = await http.GetAsync(
            (await http.ReadyAsync("""{ "dataset": "all_types", "format": "csv" }""")).Link("batch") + "/records");
        var ndjson = await http.GetAsync(
            (await http.ReadyAsync("""{ "dataset": "all_types", "format": "ndjson" }""")).Link("batch") + "/records");
        Assert.Equal(ndjson.Text, csv.Text);
        Assert.Equal(3, csv.Items().Length);
        Assert.Equal(12.50m, csv.Items()[0].GetProperty("money").GetDecimal());
    }

    [Fact]
    public async Task A_single_column_keeps_NULL_and_the_empty_text_apart()
    {
        var export = await service.Http.ReadyAsync("""{ "dataset": "items", "criteria": { "least": 1001 } }""");
        var empty = await service.Http.GetAsync(export.Link("batch") + "/records");
        Assert.Empty(empty.Items());
        Assert.Null(empty.NextCursor());
        var big = await service.Http.ReadyAsync("""{ "dataset": "big", "criteria": { "rows": 60000 } }""");
        // A page ends early where its records are large, and the next one continues there.
        Assert.Equal(60000, (await AllAsync(big.Link("batch"), 10000)).Count);
    }

    [Fact]
    public async Task A_record_beyond_a_page_s_limit_is_told_as_that_and_every_other_way_has_it()
    {
        service.Scene.AddDataset("vast", "SELECT i AS id, CASE WHEN i <> 2 THEN 'x' ELSE repeat('0123456789abcdef', 40 << 16) "
            + "END AS doc FROM generate_series(1, 3) i ORDER BY 1");
        var other = await service.Scene.StartServiceAsync(("ClaimCheck__Http__MaxPageRecordBytes", "8388608"));
        using var http = new ApiClient(other.NewHttp());
        foreach (var format in (string[])["csv", "ndjson"])
        {
            var export = await http.ReadyAsync($$"""{ "dataset": "vast", "format": "{{format}}" }""");
            var records = export.Link("batch") + "/records?limit=10&cursor=";
            var first = await http.GetAsync(records[..^8]);
            Assert.Equal(1, Assert.Single(first.Items()).GetProperty("id").GetInt32());
            var refusal = await http.GetAsync(records + first.NextCursor());
            refusal.IsProblem(422, "record_too_large");
            var refused = refusal.Json.Text("detail")!;
            Assert.Contains(
                "but ClaimCheck:Http:MaxPageRecordBytes allows 8,388,608 in a page.", refused, StringComparison.Ordinal);
            var behind = refused.Split("cursor=")[1].Split(' ')[0];
            Assert.Equal(3, Assert.Single((await http.GetAsync(records + behind)).Items()).GetProperty("id").GetInt32());

            using var client = new ClaimCheckClient(other.Address);
            using var reader = new BatchReader(client);
            Assert.True(BatchId.TryParse(export.Text("batchId"), out var batch));
            var lengths = new List<int>();
            await foreach (var record in reader.ReadRecordsAsync(batch))
                lengths.Add(record.GetUtf8(1).Length);
            Assert.Equal([1, 40 << 20, 1], lengths);
            var directory = Directory.CreateTempSubdirectory("claimcheck-vast-");
            using (var downloader = new BatchDownloader(client))
                Assert.Equal(3, (await downloader.DownloadAsync(batch, directory.FullName)).Manifest.Records);
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_cursor_leads_into_what_one_attempt_has_staged_and_no_other()
    {
        var batch = (await service.Http.ReadyAsync("""{ "dataset": "items" }""")).Link("batch");
        var records = batch + "/records?limit=10&cursor=";
        var cursor = (await service.Http.GetAsync(batch + "/records?limit=10")).NextCursor()!;
        var text = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(cursor));

        Assert.Equal(11, (await service.Http.GetAsync(records + cursor)).Items()[0].GetProperty("id").GetInt64());
        // As earlier versions gave it, and as one that was staged again would.
        Assert.Equal(11, (await service.Http.GetAsync(
            records + Encode(text[..text.LastIndexOf('.')]))).Items()[0].GetProperty("id").GetInt64());
        (await service.Http.GetAsync(records + Encode(text[..^1] + (text[^1] == 'A' ? 'B' : 'A'))))
            .IsProblem(400, "invalid_cursor");

        static string Encode(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    [Fact]
    public async Task Pages_are_refused_as_manifests_are()
    {
        var idle = (await service.Idle.AskAsync("""{ "dataset": "items" }""")).Link("batch");
        (await service.Idle.GetAsync(idle + "/records")).IsProblem(409, "not_ready");
        await service.Idle.SendAsync("DELETE", idle);
        (await service.Idle.GetAsync(idle + "/records")).IsProblem(410, "export_cancelled");
        (await service.Http.GetAsync("/v1/batches/bat_01890a5dac96774bbcceb302099a8057/records")).IsProblem(404, "not_found");

        var batch = (await service.Http.ReadyAsync("""{ "dataset": "items" }""")).Link("batch");
        var first = await service.Http.GetAsync(batch + "/records?limit=10", ("ClaimCheck-Consumer", "pager"));
        Assert.Equal(
            ("no-store", "application/json; charset=utf-8"), (first.Header("Cache-Control"), first.Header("Content-Type")));
        Assert.Contains((await service.Http.GetAsync(batch)).Json.GetProperty("redeemed").EnumerateArray(), row =>
            row.Text("caller") == "pager");
        var head = await service.Http.SendAsync("HEAD", batch + "/records");
        Assert.Equal((200, 0), (head.Status, head.Body.Length));
        foreach (var limit in (string[])["0", "10001", "-1", "x", "1.5", ""])
            (await service.Http.GetAsync($"{batch}/records?limit={limit}")).IsProblem(400, "invalid_limit");
        foreach (var cursor in (string[])["", "x", "0.0.0", "1.0.1000", "1.1.0", "2.0.0", "1.0.-1", "99999999999.0.0", "1.0",
            "1.0.0.0", "1.0.x"])
        {
            var encoded = cursor.Contains('.', StringComparison.Ordinal)
                ? System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes("records:" + cursor))
                : cursor;
            (await service.Http.GetAsync($"{batch}/records?cursor={encoded}")).IsProblem(400, "invalid_cursor");
        }

        Assert.Equal(200, (await service.Http.SendAsync("DELETE", batch)).Status);
        (await service.Http.GetAsync($"{batch}/records?cursor={first.NextCursor()}")).IsProblem(410, "batch_revoked");
    }

    private async Task<List<JsonElement>> AllAsync(string batch, int limit)
    {
        var records = new List<JsonElement>();
        string? cursor = null;
        do
        {
            var page = await service.Http.GetAsync($"{batch}/records?limit={limit}{(cursor is null ? "" : "&cursor=" + cursor)}");
            Assert.InRange(page.Items().Length, 1, limit);
            records.AddRange(page.Items());
            cursor = page.NextCursor();
        }
        while (cursor is not null);
        return records;
    }
}
