using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Tests.Revocation;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace ClaimCheck.Service.Tests.Publishing;

/// <summary>The feed keeps the order of commits, without gaps, whichever relay works and dies.</summary>
public sealed class Relaying_to_the_feed : IAsyncLifetime
{
    // The relay's connection, and no other, holds an advisory lock of this database.
    private const string TerminateRelay = """
        SELECT pg_terminate_backend(pid)
          FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    private readonly List<OutboxRelay> relays = [];
    private RevocationLab lab = null!;

    public async Task InitializeAsync() => lab = await RevocationLab.StartAsync(loops: false);

    public async Task DisposeAsync()
    {
        foreach (var relay in relays)
        {
            await relay.StopAsync(default);
            relay.Dispose();
        }

        await lab.DisposeAsync();
    }

    [Fact]
    public async Task Every_reader_sees_every_event_once_in_order_while_writers_commit_and_relays_die()
    {
        const int writers = 8;
        const int batches = 25;
        const int events = 3;
        var written = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = Enumerable.Range(0, writers).Select(async writer =>
        {
            var random = new Random(writer);
            for (var batch = 0; batch < batches; batch++)
            {
                if (batch == batches - 1)
                    await killed.Task; // however fast all else was
                var subject = new EventSubject(ExportId.New().Value, BatchId.New().Value, "default", "items");
                for (var number = 0; number < events; number++)
                    await CommitAsync(subject, number, random.Next(12));
                written[new BatchId(subject.BatchId!.Value).ToString()] = events;
            }
        }).ToList();
        await StartRelayAsync();
        await StartRelayAsync();
        using var finished = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var reading = Enumerable.Range(0, 3)
            .Select(reader => FollowAsync(writers * batches * events, limit: 1 + (reader * 20), finished.Token)).ToList();
        var kills = 0;
        while (reading.Exists(reader => !reader.IsCompleted))
        {
            kills += (await lab.QueryAsync<bool>(TerminateRelay)).Count;
            if (kills >= 2)
                killed.TrySetResult();
            await Task.WhenAny(Task.WhenAll(reading), Task.Delay(400 + (100 * kills))); // longer each time, so that some get on
        }

        killed.TrySetResult(); // also where the readers gave up
        await Task.WhenAll(writing);
        Assert.True(kills >= 2, $"{kills} relays were killed.");
        var first = await reading[0];
        foreach (var reader in reading)
        {
            var seen = await reader;
            Assert.Equal(first.Select(item => item.Id), seen.Select(item => item.Id));
            Assert.Equal(seen.Count, seen.Select(item => item.Id).Distinct().Count());
        }

        foreach (var batch in first.GroupBy(item => item.Subject))
            Assert.Equal(
                Enumerable.Range(0, written[batch.Key]), batch.Select(item => item.Data.GetProperty("number").GetInt32()));
        Assert.Equal(writers * batches, first.GroupBy(item => item.Subject).Count());
    }

    [Fact]
    public async Task A_second_relay_takes_over_when_the_first_loses_its_connection()
    {
        await StartRelayAsync();
        await Eventually.TrueAsync(async () => (await HoldersAsync()).Count == 1);
        var first = (await HoldersAsync())[0];
        await StartRelayAsync();
        var subject = new EventSubject(ExportId.New().Value, BatchId.New().Value, "default", "items");
        await CommitAsync(subject, 0, 0);
        await PublishedAsync(1);
        Assert.Equal([first], await HoldersAsync());

        Assert.Equal([true], await lab.QueryAsync<bool>(TerminateRelay));
        await CommitAsync(subject, 1, 0);
        await PublishedAsync(2);
        Assert.NotEqual(first, Assert.Single(await HoldersAsync()));
    }

    [Fact]
    public async Task A_cursor_older_than_the_feed_s_memory_is_told_so()
    {
        var subject = new EventSubject(ExportId.New().Value, BatchId.New().Value, "default", "items");
        for (var number = 0; number < 5; number++)
            await CommitAsync(subject, number, 0);
        var relay = await StartRelayAsync();
        await PublishedAsync(5);
        await relay.StopAsync(default);
        var cursors = new List<string?>();
        for (string? cursor = null; cursors.Count < 5; cursors.Add(cursor))
            cursor = (await PageAsync(cursor, limit: 1)).NextCursor;

        // The third is as old as the first two: places are forgotten up to the last one, never in the middle.
        await lab.SqlAsync("UPDATE outbox SET published_at = now() - interval '15 days' WHERE position <= 3");
        await StartRelayAsync(); // it forgets as it begins
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<long>("SELECT count(*) FROM outbox"))[0] == 2);

        foreach (var old in cursors.Take(2))
        {
            using var answer = await lab.Http.GetAsync($"/v1/events?after={old}");
            Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
            Assert.Equal(
                ProblemCodes.CursorExpired,
                (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
        }

        Assert.Equal([3, 4], Numbers(await PageAsync(cursors[2], limit: 10)));
        Assert.Equal([3, 4], Numbers(await PageAsync(null, limit: 10)));
        Assert.Equal([4], Numbers(await PageAsync(cursors[3], limit: 10)));

        // Positions continue from where they were, even when all events are deleted.
        await lab.SqlAsync("UPDATE outbox SET published_at = now() - interval '15 days'");
        await StartRelayAsync(takesOver: true);
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<long>("SELECT count(*) FROM outbox"))[0] == 0);
        await CommitAsync(subject, 5, 0);
        Assert.Equal([5], Numbers(await PageAsync(cursors[4], limit: 10, wait: 20)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task
        A_ready_event_that_waits_for_staging_does_not_hold_up_others_and_is_superseded_after_a_revocation(bool isExpected)
    {
        var batch = await lab.ReadyAsync();
        lab.Staging.Before = (call, _) => call != "sign"
            ? Task.CompletedTask
            : throw (isExpected
                ? new Service.Staging.StagingException("Staging is away.", isTransient: true)
                : new InvalidCastException("A defect."));
        await StartRelayAsync();
        await CommitAsync(new EventSubject(ExportId.New().Value, BatchId.New().Value, "default", "items"), 0, 0);
        await PublishedAsync(1);
        Assert.Equal(
            0, (await lab.QueryAsync<long>("SELECT count(*) FROM outbox WHERE type = 'BulkReady' AND position IS NOT NULL"))[0]);
        await Eventually.TrueAsync(
            async () => (await lab.QueryAsync<int>("SELECT tries FROM outbox WHERE type = 'BulkReady'"))[0] > 0);

        lab.Staging.Before = null;
        await lab.RevokeAsync(batch);
        await PublishedAsync(2);
        await Eventually.TrueAsync(async () => (await lab.QueryAsync<bool>(
            "SELECT superseded_at IS NOT NULL AND position IS NULL FROM outbox WHERE type = 'BulkReady'"))[0]);
    }

    private static IEnumerable<int> Numbers(Page<BulkEvent> page) =>
        page.Items.Select(item => item.Data.GetProperty("number").GetInt32());

    private async Task<Page<BulkEvent>> PageAsync(string? after, int limit, int wait = 0) =>
        (await lab.Http.GetFromJsonAsync<Page<BulkEvent>>(
            $"/v1/events?limit={limit}&after={after}&wait={wait}", ClaimCheckJson.Options))!;

    private async Task<List<BulkEvent>> FollowAsync(int count, int limit, CancellationToken deadline)
    {
        var seen = new List<BulkEvent>();
        string? cursor = null;
        while (seen.Count < count)
        {
            deadline.ThrowIfCancellationRequested();
            var page = await PageAsync(cursor, limit, wait: 1);
            seen.AddRange(page.Items);
            cursor = page.NextCursor;
        }

        Assert.Empty((await PageAsync(cursor, limit)).Items);
        return seen;
    }

    private async Task CommitAsync(EventSubject subject, int number, int heldOpenMilliseconds)
    {
        await using var transaction = await Transaction.BeginAsync(lab.Catalog, default);
        await Outbox.AddAsync(transaction, EventTypes.BulkCancelled, subject, new { number }, default);
        await Task.Delay(heldOpenMilliseconds); // later ones of other writers commit before it
        await transaction.CommitAsync(default);
    }

    private async Task<OutboxRelay> StartRelayAsync(bool takesOver = false)
    {
        if (takesOver)
        {
            foreach (var running in relays)
                await running.StopAsync(default);
        }

        var relay = ActivatorUtilities.CreateInstance<OutboxRelay>(lab.Get<IServiceProvider>());
        relays.Add(relay);
        await relay.StartAsync(default);
        return relay;
    }

    private Task PublishedAsync(int events) => Eventually.TrueAsync(async () =>
        (await lab.QueryAsync<long>("SELECT count(*) FROM outbox WHERE position IS NOT NULL"))[0] == events);

    private async Task<List<int>> HoldersAsync() => await lab.QueryAsync<int>(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE "
        + "datname = current_database())");
}
