using System.Net.Sockets;
using System.Text;
using ClaimCheck.Service.Tests.Api;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Receipts;

[Collection(ReceiptTests.Name)]
public sealed class Listing_failures(ReceiptService service)
{
    [Fact]
    public async Task Failures_are_merged_by_key_and_the_last_word_wins()
    {
        var batch = await service.BatchAsync("items");
        var posted = await service.Http.PostAsync(
            $"{batch}/receipts/billing/failures",
            """
            [ { "key": "1", "class": "transient", "code": "db_down", "message": "é😀 \"\n" }, { "class": "terminal", "code": "bad", "key": "2" },
              {"key":"1","class":"terminal","code":"bad","message":null} ]
            """);
        Assert.True(posted.Status == 200, posted.Text);
        Assert.Equal("processing", posted.Json.Text("state"));
        var lines = await service.LinesAsync(batch, "billing", "{\"key\":\"2\",\"class\":\"transient\",\"code\":\"x\"}\r\n\n  \n"
            + "{\"key\":\"3\",\"class\":\"transient\",\"code\":\"y\"}");
        Assert.True(lines.Status == 200, lines.Text);

        Assert.Equal(["1 terminal bad", "2 transient x", "3 transient y"], await ListAsync(batch, ""));
        Assert.Equal(["2 transient x", "3 transient y"], await ListAsync(batch, "&class=transient"));
        Assert.Equal(["1 terminal bad"], await ListAsync(batch, "&class=terminal"));
        var bucket = await service.Http.GetAsync(
            $"{batch}/receipts/billing/failures?class=terminal", ("Accept", "application/x-ndjson"));
        Assert.Equal("{\"key\":\"1\",\"class\":\"terminal\",\"code\":\"bad\",\"message\":null}\n", bucket.Text);
        Assert.StartsWith("attachment", bucket.Header("Content-Disposition"), StringComparison.Ordinal);
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "partiallyFailed", 997, 2, 1)).Status);
    }

    [Fact]
    public async Task A_hundred_thousand_failures_come_in_one_body_and_go_out_in_another()
    {
        var (batch, ids) = await service.FickleAsync(100_000);
        var body = string.Concat(ids.Select(
            id => $"{{\"key\":\"{id}\",\"class\":\"transient\",\"code\":\"db_down\",\"message\":\"{new string('x', 20)}\"}}\n"));
        Assert.True(body.Length > 5 << 20);
        var posted = await service.LinesAsync(batch, "billing", body);
        Assert.True(posted.Status == 200, posted.Text);
        Assert.Equal(200, (await service.PutAsync(batch, "billing", "failed", 0, ids.Length)).Status);
        var listed = await service.Http.GetAsync($"{batch}/receipts/billing/failures", ("Accept", "application/x-ndjson"));
        Assert.Equal(ids.Length, listed.Text.Count(c => c == '\n'));

        // Ten slices of keys, in one snapshot.
        var retry = await service.RetriedAsync(batch, "billing");
        Assert.Equal(ids.Length, (await service.Http.GetAsync(retry)).Json.GetProperty("records").GetInt64());
        Assert.Equal(200, (await service.PutAsync(retry, "billing", "completed", ids.Length)).Status);
        Assert.Equal(("completed", ids.Length, 0, 0), await service.CountsAsync(batch, "billing"));
    }

    [Fact]
    public async Task A_caller_that_sends_slowly_holds_nothing_of_the_catalog()
    {
        var batch = await service.BatchAsync("items");
        const string body = """[{"key":"1","class":"terminal","code":"bad"}]""";
        using var client = new TcpClient();
        await client.ConnectAsync(service.Http.Address.Host, service.Http.Address.Port);
        await using var stream = client.GetStream();
        using var answers = new StreamReader(stream);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {batch}/receipts/slow/failures HTTP/1.1\r\nHost: {service.Http.Address.Authority}\r\nConnection: close\r\n"
            + "Expect: 100-continue\r\n" +
            $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"));
        Assert.Equal("HTTP/1.1 100 Continue", await answers.ReadLineAsync()); // said when the body is first read

        Assert.Equal(0, await Scene.ScalarAsync<long>(
            service.Scene.Catalog, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' "
                + "AND query LIKE 'COPY incoming%'"));
        await stream.WriteAsync(Encoding.ASCII.GetBytes(body));

        Assert.Equal("", await answers.ReadLineAsync());
        Assert.Equal("HTTP/1.1 200 OK", await answers.ReadLineAsync());
        Assert.Equal(["1 terminal bad"], (await service.Http.GetAsync($"{batch}/receipts/slow/failures")).Items()
            .Select(failure => $"{failure.Text("key")} {failure.Text("class")} {failure.Text("code")}"));
    }

    [Theory]
    [InlineData("[3]",
        """{"key":"a","class":"transient","code":"c"}|{"key":"b","class":"transient","code":"c"}|{"key":"c","class":"transient","code":"c"}|{"key":"d"|""")]
    [InlineData("[0]", "x")]
    [InlineData("[0]", "[]")]
    [InlineData("[0]", "null")]
    [InlineData("[0].key", """{"class":"transient","code":"c"}""")]
    [InlineData("[0].key", """{"key":1,"class":"transient","code":"c"}""")]
    [InlineData("[0].key", """{"key":"\u0000","class":"transient","code":"c"}""")]
    [InlineData("[0]", """{"key":"\ud800","class":"transient","code":"c"}""")]
    [InlineData("[0]", """{"key":"a","class":"transient","code":"c","\ud800":1}""")]
    [InlineData("[0]", """{"key":"a","key":"b","class":"transient","code":"c"}""")]
    [InlineData("[0].class", """{"key":"a","class":"Transient","code":"c"}""")]
    [InlineData("[0].class", """{"key":"a","code":"c"}""")]
    [InlineData("[0].code", """{"key":"a","class":"terminal","code":""}""")]
    [InlineData("[0]", """{"key":"a","class":"terminal","code":"c","record":{}}""")]
    public async Task A_body_with_a_bad_line_is_not_taken(string field, string lines)
    {
        var batch = await service.BatchAsync("items");
        (await service.LinesAsync(batch, "billing", lines.Replace('|', '\n'))).IsInvalid(field);
        (await service.Http.GetAsync($"{batch}/receipts/billing")).IsProblem(404, "not_found");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[")]
    [InlineData("[{}")]
    [InlineData("[] []")]
    [InlineData("""[{"key":"a","class":"terminal","code":"c"}""")]
    [InlineData("""[{"key":"a","class":"terminal","code":"c"},]""")]
    [InlineData("""[[[[[[[[[[[[[[[[""")]
    [InlineData("""[{"key":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}]""")]
    [InlineData("\"text\"")]
    [InlineData("[1]")]
    public async Task A_malformed_array_is_a_4xx_and_not_taken(string body)
    {
        var batch = await service.BatchAsync("items");
        Assert.InRange((await service.Http.PostAsync($"{batch}/receipts/billing/failures", body)).Status, 400, 422);
        (await service.Http.GetAsync($"{batch}/receipts/billing")).IsProblem(404, "not_found");
    }

    [Fact]
    public async Task Records_and_their_fields_have_limits()
    {
        var batch = await service.BatchAsync("items");
        // Random characters of three bytes each: no index takes such a key, but its digest.
        var key = string.Concat(Enumerable.Range(0, 1024).Select(i => (char)(0x4e00 + (i * 7919 % 20000))));
        Assert.Equal(200, (await service.LinesAsync(
            batch, "billing", $"{{\"key\":\"{key}\",\"class\":\"terminal\",\"code\":\"c\"}}")).Status);
        (await service.LinesAsync(batch, "billing", $"{{\"key\":\"{key}x\",\"class\":\"terminal\",\"code\":\"c\"}}"))
            .IsInvalid("[0].key");
        (await service.LinesAsync(batch, "billing", new string('x', 100_000))).IsInvalid("[0]");
        (await service.LinesAsync(batch, "billing", "{\"key\":\"" + new string('x', 3 << 20))).IsInvalid("[0]");
        (await service.Http.PostAsync($"{batch}/receipts/billing/failures", "[{\"key\":\"" + new string('x', 3 << 20)))
            .IsInvalid("[0]");
        var body = new ByteArrayContent("[]"u8.ToArray());
        (await service.Http.SendAsync("POST", $"{batch}/receipts/billing/failures", body, ("Content-Type", "text/csv")))
            .IsProblem(415, "unsupported_media_type");
        foreach (var (query, code) in new[] { ("class=x", "invalid_parameter"), ("limit=0", "invalid_limit"),
            ("cursor=x", "invalid_cursor"), ("cursor=ZmFpbHVyZXM6eA", "invalid_cursor") })
            (await service.Http.GetAsync($"{batch}/receipts/billing/failures?{query}")).IsProblem(400, code);
    }

    [Fact]
    public async Task A_receipt_lists_a_million_failures_at_most()
    {
        var batch = await service.BatchAsync("items");
        var id = batch[^32..];
        Assert.Equal(200, (await service.FailAsync(batch, "billing", [(1, "transient")])).Status);
        await Scene.SqlAsync(service.Scene.Catalog, $"UPDATE receipts SET listed_terminal = 999999 WHERE batch_id = '{id}'");
        (await service.FailAsync(batch, "billing", [(2, "transient")])).IsProblem(422, "too_many_failures");
        Assert.Equal(200, (await service.FailAsync(batch, "billing", [(1, "terminal")])).Status);
    }

    private async Task<string[]> ListAsync(string batch, string query)
    {
        var all = new List<string>();
        string? cursor = null;
        do
        {
            var page = await service.Http.GetAsync(
                $"{batch}/receipts/billing/failures?limit=1{query}{(cursor is null ? "" : "&cursor=" + cursor)}");
            all.AddRange(page.Items().Select(failure => $"{failure.Text("key")} {failure.Text("class")} {failure.Text("code")}"));
            cursor = page.NextCursor();
        }
        while (cursor is not null);
        return [.. all.Order(StringComparer.Ordinal)];
    }
}
