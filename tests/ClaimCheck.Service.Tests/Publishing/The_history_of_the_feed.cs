using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Tests.Revocation;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace ClaimCheck.Service.Tests.Publishing;

/// <summary>A cursor is a position in one history of the feed: a catalog that is restored from a dump continues
/// with another one.</summary>
public sealed class The_history_of_the_feed : IAsyncLifetime
{
    private readonly EventSubject subject = new(ExportId.New().Value, BatchId.New().Value, "default", "items");
    private RevocationLab lab = null!;
    private OutboxRelay? relay;

    public async Task InitializeAsync() => lab = await RevocationLab.StartAsync(loops: false);

    public async Task DisposeAsync()
    {
        await StopRelayAsync();
        await lab.DisposeAsync();
    }

    [Fact]
    public async Task A_reader_of_a_restored_catalog_sees_each_of_its_events()
    {
        await PublishAsync(0, 3);
        var kept = await CursorAtAsync(2);
        // One that waits in the outbox as the dump is made is published in both histories.
        await AddAsync(99);
        await lab.SqlAsync("CREATE TABLE dump_outbox AS TABLE outbox; CREATE TABLE dump_feed AS TABLE event_feed");
        await PublishAsync(3, 5);
        var reader = new Reader();
        await reader.ReadAsync(lab.Http);
        Assert.Equal([0, 1, 2, 99, 3, 4], reader.Seen);
        var (inLost, beyond) = (await CursorAtAsync(4), reader.Cursor!);

        await lab.SqlAsync(
            "DELETE FROM outbox; INSERT INTO outbox SELECT * FROM dump_outbox; DELETE FROM event_feed; INSERT INTO event_feed "
            + "SELECT * FROM dump_feed");

        // None is at that place yet: it is told so, also of a cursor without a digest, and not once the feed has passed it.
        await AssertGoneAsync(beyond);
        await AssertGoneAsync(Old(6));
        await PublishAsync(10, 15);
        // The very same event is at that place again, but behind another past.
        foreach (var lost in new[] { inLost, beyond })
            await AssertGoneAsync(lost);
        var again = new Reader { Cursor = reader.Cursor };
        await again.ReadAsync(lab.Http);
        Assert.Equal([0, 1, 2, 99, 10, 11, 12, 13, 14], again.Seen);
        // A position before the dump is valid in both.
        Assert.Equal([2, 99, 10], Numbers(await PageAsync(kept, 3)));
    }

    [Fact]
    public async Task An_old_cursor_is_taken_once_and_followed_by_one_that_knows_its_event()
    {
        await PublishAsync(0, 3);

        var page = await PageAsync(Old(2), 1);
        Assert.Equal([2], Numbers(page));
        // Also where nothing has come since.
        Assert.Equal(page.NextCursor, (await PageAsync(Old(3), 1)).NextCursor);
        Assert.NotEqual(Old(3), page.NextCursor);
        using var stream = await StreamAsync(page.NextCursor!);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        using var foreign = await StreamAsync(Old(4));
        Assert.Equal(HttpStatusCode.Gone, foreign.StatusCode);
        foreach (var broken in new[] { "1.", "1.a.b", "-1", "x", "" })
            await AssertAsync(HttpStatusCode.BadRequest, ProblemCodes.InvalidCursor, Cursor(broken));
    }

    [Fact]
    public async Task A_reader_that_is_up_to_date_goes_on_when_its_event_is_forgotten()
    {
        await PublishAsync(0, 2);
        // Published long ago: the cursors are those of that time.
        await lab.SqlAsync("UPDATE outbox SET published_at = published_at - interval '15 days'");
        var (before, last) = (await CursorAtAsync(1), await CursorAtAsync(2));
        await StartRelayAsync(); // it forgets as it begins
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<long>("SELECT forgotten FROM event_feed"))[0] == 2);
        await StopRelayAsync();

        Assert.Empty((await PageAsync(last, 10)).Items);
        await AssertGoneAsync(before);
        Assert.Equal(last, (await PageAsync(null, 10)).NextCursor);
        await PublishAsync(2, 3);
        Assert.Equal([2], Numbers(await PageAsync(last, 10)));
        // An earlier version has forgotten without a note of what it was.
        await lab.SqlAsync("UPDATE event_feed SET forgotten_event = NULL, forgotten_publication = NULL");
        Assert.Equal([2], Numbers(await PageAsync(last, 10)));
        // Another event was there.
        await lab.SqlAsync("UPDATE event_feed SET forgotten_event = gen_random_uuid()");
        await AssertGoneAsync(last);
    }

    private static string Cursor(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"events:{text}"));

    private static string Old(long position) => Cursor($"{position}");

    private static IEnumerable<int> Numbers(Page<BulkEvent> page) =>
        page.Items.Select(item => item.Data.GetProperty("number").GetInt32());

    private Task AssertGoneAsync(string cursor) => AssertAsync(HttpStatusCode.Gone, ProblemCodes.CursorExpired, cursor);

    private async Task AssertAsync(HttpStatusCode status, string code, string cursor)
    {
        using var answer = await lab.Http.GetAsync($"/v1/events?after={cursor}");
        Assert.Equal(
            (status, code),
            (answer.StatusCode, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString()));
    }

    private async Task<Page<BulkEvent>> PageAsync(string? after, int limit) =>
        (await lab.Http.GetFromJsonAsync<Page<BulkEvent>>($"/v1/events?limit={limit}&after={after}", ClaimCheckJson.Options))!;

    private async Task<string> CursorAtAsync(int place) => (await PageAsync(null, place)).NextCursor!;

    private async Task<HttpResponseMessage> StreamAsync(string last)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/events");
        request.Headers.Accept.Add(new("text/event-stream"));
        request.Headers.Add("Last-Event-ID", last);
        return await lab.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private async Task AddAsync(int number)
    {
        await using var transaction = await Transaction.BeginAsync(lab.Catalog, default);
        await Outbox.AddAsync(transaction, EventTypes.BulkCancelled, subject, new { number }, default);
        await transaction.CommitAsync(default);
    }

    // The relay stands still between, so that the test knows what the outbox holds.
    private async Task PublishAsync(int from, int to)
    {
        for (var number = from; number < to; number++)
            await AddAsync(number);
        await StartRelayAsync();
        await Eventually.TrueAsync(
            async () => (await lab.QueryAsync<long>("SELECT count(*) FROM outbox WHERE position IS NULL"))[0] == 0);
        await StopRelayAsync();
    }

    private async Task StartRelayAsync()
    {
        relay = ActivatorUtilities.CreateInstance<OutboxRelay>(lab.Get<IServiceProvider>());
        await relay.StartAsync(default);
    }

    private async Task StopRelayAsync()
    {
        if (relay is null)
            return;
        await relay.StopAsync(default);
        relay.Dispose();
        relay = null;
    }

    /// <summary>As every reader does it: told that its cursor has expired, it begins with the oldest event.</summary>
    private sealed class Reader
    {
        public List<int> Seen { get; } = [];
        public string? Cursor { get; set; }

        public async Task ReadAsync(HttpClient http)
        {
            while (true)
            {
                using var answer = await http.GetAsync($"/v1/events?limit=2&after={Cursor}");
                if (answer.StatusCode == HttpStatusCode.Gone)
                {
                    Cursor = null;
                    continue;
                }

                var page = (await answer.Content.ReadFromJsonAsync<Page<BulkEvent>>(ClaimCheckJson.Options))!;
                Seen.AddRange(Numbers(page));
                Cursor = page.NextCursor;
                if (page.Items.Count == 0)
                    return;
            }
        }
    }
}
