using System.Diagnostics;
using System.Text.Json;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

[Collection(ApiTests.Name)]
public sealed class The_event_feed(ApiService service)
{
    private const string Items = """{ "dataset": "items", "criteria": { "least": 990 } }""";

    [Fact]
    public async Task A_life_is_told_in_order()
    {
        var start = await EndAsync();
        var export = await service.Http.ReadyAsync(Items);
        var ready = Assert.Single((await AfterAsync(start, "&wait=60")).Items());
        await service.Http.SendAsync("DELETE", export.Link("batch") + "?reason=because");

        var events = await AllAsync(start, 2);

        Assert.Equal(["claimcheck.bulk.ready.v1", "claimcheck.bulk.revoked.v1"], events.Select(item => item.Text("type")));
        Assert.Equal(
            ["specversion", "id", "type", "source", "subject", "time", "datacontenttype", "dataref", "data"], ready.Names());
        Assert.Equal(("1.0", "application/json"), (ready.Text("specversion"), ready.Text("datacontenttype")));
        Assert.Matches("^evt_[0-9a-f]{32}$", ready.Text("id"));
        Assert.Equal(
            ($"/v1/exports/{export.Text("exportId")}", export.Text("batchId")), (ready.Text("source"), ready.Text("subject")));
        Assert.EndsWith("Z", ready.Text("time"), StringComparison.Ordinal);
        var data = ready.GetProperty("data");
        Assert.Equal(
            ["exportId", "batchId", "dataset", "schemaVersion", "retryOf", "location", "locationExpiresAt", "claimUrl", "records",
                "bytes", "files", "format", "compression"],
            data.Names());
        Assert.Equal(ready.Text("dataref"), data.Text("location"));
        Assert.Equal(export.Link("manifest"), data.Text("claimUrl"));
        Assert.Equal((11, 1), (data.GetProperty("records").GetInt64(), data.GetProperty("files").GetInt32()));

        // The same event later: it leads nowhere any more.
        Assert.Equal(ready.Text("id"), events[0].Text("id"));
        Assert.Equal(JsonValueKind.Null, events[0].GetProperty("data").GetProperty("location").ValueKind);
        Assert.Equal(JsonValueKind.Null, events[0].GetProperty("data").GetProperty("locationExpiresAt").ValueKind);
        Assert.DoesNotContain("dataref", events[0].Names());

        var revoked = events[1];
        Assert.Equal(["specversion", "id", "type", "source", "subject", "time", "datacontenttype", "data"], revoked.Names());
        Assert.Equal(["exportId", "batchId", "dataset", "reason", "revokedAt"], revoked.GetProperty("data").Names());
        Assert.Equal("because", revoked.GetProperty("data").Text("reason"));
        Assert.Equal(
            (await service.Http.GetAsync(export.Link("batch"))).Json.Text("endedAt"),
            revoked.GetProperty("data").Text("revokedAt"));
    }

    [Fact]
    public async Task A_link_in_an_event_works()
    {
        var start = await EndAsync();
        var export = await service.Http.ReadyAsync(Items);
        var ready = Assert.Single((await AfterAsync(start, "&wait=60")).Items());
        var manifest = await service.Http.GetAsync(ready.Text("dataref")!);
        Assert.Equal((200, export.Text("batchId")), (manifest.Status, manifest.Json.Text("batchId")));
    }

    [Fact]
    public async Task A_failure_and_a_cancellation_are_told()
    {
        var start = await EndAsync();
        await service.Http.PostAsync("/v1/exports", """{ "dataset": "broken" }""", ("Prefer", "wait=60"));
        var endless = await service.Http.AskAsync("""{ "dataset": "endless" }""");
        await Eventually.TrueAsync(
            async () => (await service.Http.GetAsync(endless.Link("self"))).Json.Text("state") == "running");
        await service.Http.SendAsync("DELETE", endless.Link("cancel"));

        var events = await AllAsync(start, 2);

        Assert.Equal(["claimcheck.bulk.failed.v1", "claimcheck.bulk.cancelled.v1"], events.Select(item => item.Text("type")));
        var failed = events[0].GetProperty("data");
        Assert.Equal(["exportId", "batchId", "dataset", "failure"], failed.Names());
        Assert.Equal(["code", "detail", "transient"], failed.GetProperty("failure").Names());
        Assert.Equal("source_query_failed", failed.GetProperty("failure").Text("code"));
        var cancelled = events[1].GetProperty("data");
        Assert.Equal(["exportId", "batchId", "dataset", "reason"], cancelled.Names());
        Assert.Equal(JsonValueKind.Null, cancelled.GetProperty("reason").ValueKind);
    }

    [Fact]
    public async Task A_waiting_reader_is_woken()
    {
        var start = await EndAsync();
        var watch = Stopwatch.StartNew();
        var waiting = AfterAsync(start, "&wait=60");
        var export = await service.Http.ReadyAsync(Items);

        var ready = Assert.Single((await waiting).Items());

        Assert.Equal(export.Text("batchId"), ready.Text("subject"));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(55), $"{watch.Elapsed}");
    }

    [Fact]
    public async Task A_wait_that_is_over_is_an_empty_page_with_the_same_cursor()
    {
        var start = await EndAsync();
        var watch = Stopwatch.StartNew();
        var answer = await AfterAsync(start, "&wait=1");

        Assert.Empty(answer.Items());
        Assert.Equal(start, answer.NextCursor());
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.95, 40);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
    }

    [Fact]
    public async Task Small_pages_tell_the_same_as_large_ones()
    {
        var start = await EndAsync();
        for (var at = 0; at < 4; at++)
            await service.Http.ReadyAsync(Items);
        var all = await AllAsync(start, 4);

        var one = new List<string?>();
        for (var cursor = start; one.Count < 4;)
        {
            var page = await AfterAsync(cursor, "&limit=1&wait=60");
            one.Add(Assert.Single(page.Items()).Text("id"));
            cursor = page.NextCursor()!;
        }

        Assert.Equal(all.Select(item => item.Text("id")), one);
    }

    [Fact]
    public async Task The_longest_reason_leaves_the_event_below_8_KiB()
    {
        foreach (var reason in (string[])[new('\u0001', 500), string.Concat(Enumerable.Repeat("😀", 250)), new('"', 500)])
        {
            var start = await EndAsync();
            var export = await service.Http.ReadyAsync(Items);
            Assert.Single((await AfterAsync(start, "&wait=60")).Items());
            var answer = await service.Http.SendAsync("DELETE", $"{export.Link("batch")}?reason={Uri.EscapeDataString(reason)}");
            Assert.Equal((200, reason), (answer.Status, answer.Json.Text("reason")));
            var revoked = (await AllAsync(start, 2))[^1];
            Assert.Equal(reason, revoked.GetProperty("data").Text("reason"));
            Assert.True(System.Text.Encoding.UTF8.GetByteCount(revoked.GetRawText()) < 8192);
        }
    }

    [Theory]
    [InlineData("after=x")]
    [InlineData("after=%00")]
    [InlineData("after=ZXhwb3J0czox")]
    [InlineData("after=ZXZlbnRzOi0x")]
    [InlineData("after=ZXZlbnRzOng")]
    [InlineData("after=ZXZlbnRzOjk5OTk5OTk5OTk5OTk5OTk5OTk5")]
    public async Task A_foreign_cursor_is_400(string query) =>
        (await service.Http.GetAsync($"/v1/events?{query}")).IsProblem(400, "invalid_cursor");

    // It is of another history of the catalog: the reader starts over.
    [Fact]
    public async Task A_cursor_beyond_the_last_event_is_410() =>
        (await service.Http.GetAsync("/v1/events?after=ZXZlbnRzOjk5OTk5OTk5OTk")).IsProblem(410, "cursor_expired");

    [Theory]
    [InlineData("wait=-1", "invalid_parameter")]
    [InlineData("wait=61", "invalid_parameter")]
    [InlineData("wait=x", "invalid_parameter")]
    [InlineData("wait=", "invalid_parameter")]
    [InlineData("wait=0.5", "invalid_parameter")]
    [InlineData("limit=0", "invalid_limit")]
    [InlineData("limit=1001", "invalid_limit")]
    public async Task A_parameter_that_does_not_fit_is_400(string query, string code) =>
        (await service.Http.GetAsync($"/v1/events?{query}")).IsProblem(400, code);

    private Task<Answer> AfterAsync(string cursor, string more = "") => service.Http.GetAsync($"/v1/events?after={cursor}{more}");

    // The relay may still be about to tell what the last test did; nothing of it is open any more when it has nothing to place.
    private async Task<string> EndAsync()
    {
        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(
            service.Scene.Catalog, "SELECT count(*) FROM outbox WHERE position IS NULL AND superseded_at IS NULL") == 0);
        string? cursor = null;
        while (true)
        {
            var page = await service.Http.GetAsync("/v1/events?limit=1000" + (cursor is null ? "" : $"&after={cursor}"));
            cursor = page.NextCursor();
            if (page.Items().Length == 0)
                return cursor!;
        }
    }

    private async Task<JsonElement[]> AllAsync(string start, int count) =>
        await Eventually.NotNullAsync(
            async () => (await AfterAsync(start, "&wait=5")).Items() is { } items && items.Length >= count ? items : null);
}
