using System.Text.Json;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Server-sent events, and what retention has forgotten: on a service of its own, whose feed is tampered with.</summary>
[Collection(ApiTests.Name)]
public sealed class A_stream_of_events : IAsyncLifetime, IDisposable
{
    private Scene scene = null!;
    private ApiClient http = null!;

    public async Task InitializeAsync()
    {
        scene = await Scene.CreateAsync(items: 10);
        http = new((await scene.StartServiceAsync()).NewHttp());
    }

    public void Dispose() => http.Dispose();

    public async Task DisposeAsync() => await scene.DisposeAsync();

    [Fact]
    public async Task It_tells_what_was_and_what_comes_and_can_be_resumed()
    {
        var first = await http.ReadyAsync("""{ "dataset": "items" }""");
        var second = await http.ReadyAsync("""{ "dataset": "items" }""");
        string cursor;
        using (var response = await http.OpenAsync("/v1/events", ("Accept", "text/event-stream")))
        {
            Assert.Equal((200, "text/event-stream"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
            Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            var (id, told) = await NextAsync(reader);
            Assert.Equal(first.Text("batchId"), told.Text("subject"));
            Assert.NotNull(told.GetProperty("data").Text("location"));
            cursor = id;
            Assert.Equal(second.Text("batchId"), (await NextAsync(reader)).Event.Text("subject"));

            await http.SendAsync("DELETE", first.Link("batch"));
            var (_, revoked) = await NextAsync(reader);
            Assert.Equal(("claimcheck.bulk.revoked.v1", first.Text("batchId")), (revoked.Text("type"), revoked.Text("subject")));
        }

        // The id of the first line continues behind it, in either form; the header wins over the address.
        foreach (var path in (string[])["/v1/events", "/v1/events?after=nonsense"])
        {
            using var resumed = await http.OpenAsync(path, ("Accept", "text/event-stream"), ("Last-Event-ID", cursor));
            using var reader = new StreamReader(await resumed.Content.ReadAsStreamAsync());
            Assert.Equal(second.Text("batchId"), (await NextAsync(reader)).Event.Text("subject"));
        }

        var page = await http.GetAsync($"/v1/events?after={cursor}");
        Assert.Equal([second.Text("batchId"), first.Text("batchId")], page.Items().Select(item => item.Text("subject")));
        (await http.GetAsync("/v1/events", ("Accept", "text/event-stream"), ("Last-Event-ID", "nonsense")))
            .IsProblem(400, "invalid_cursor");
    }

    [Fact]
    public async Task A_cursor_behind_what_is_forgotten_is_410()
    {
        await http.ReadyAsync("""{ "dataset": "items" }""");
        await Eventually.TrueAsync(async () => (await http.GetAsync("/v1/events?wait=5")).Items().Length == 1);
        var start = (await http.GetAsync("/v1/events")).NextCursor();
        for (var at = 0; at < 3; at++)
            await http.ReadyAsync("""{ "dataset": "items" }""");
        await Eventually.TrueAsync(async () => (await http.GetAsync("/v1/events?wait=5")).Items().Length == 4);

        // As retention does it.
        await Scene.SqlAsync(scene.Catalog, "DELETE FROM outbox WHERE position <= 3; UPDATE event_feed SET forgotten = 3");

        (await http.GetAsync($"/v1/events?after={start}")).IsProblem(410, "cursor_expired");
        (await http.GetAsync("/v1/events", ("Accept", "text/event-stream"), ("Last-Event-ID", start!)))
            .IsProblem(410, "cursor_expired");
        var oldest = await http.GetAsync("/v1/events");
        Assert.Single(oldest.Items());
        Assert.Empty((await http.GetAsync($"/v1/events?after={oldest.NextCursor()}")).Items());
    }

    // Passes over comments and other fields, as a client does.
    private static async Task<(string Id, JsonElement Event)> NextAsync(StreamReader reader)
    {
        var (id, data) = ("", "");
        while (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(2)) is { } line)
        {
            if (line.Length == 0 && data.Length > 0)
                return (id, JsonElement.Parse(data));
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data += line[6..];
            else
                Assert.True(
                    line.Length == 0 || line.StartsWith(':') || line.StartsWith("retry: ", StringComparison.Ordinal), line);
        }

        throw new InvalidOperationException("The stream has ended.");
    }
}
