using ClaimCheck.Consumer.Inbox;
using ClaimCheck.Consumer.Tests.Handling;
using ClaimCheck.Contracts;
using Npgsql;

namespace ClaimCheck.Consumer.Tests.Inbox;

public sealed class Processes_that_die_or_pause : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    private readonly Doing<Order> doing =
        new() { Handle = (chunk, cancellationToken) => RecordScene.ApplyAsync(chunk, cancellationToken) };
    private RecordScene scene = null!;

    public async Task InitializeAsync()
    {
        scene = await RecordScene.CreateAsync(100); // blocks of 10, files of 30
        scene.Service.Publish(scene.Service.Ready());
    }

    public async Task DisposeAsync() => await scene.DisposeAsync();

    [Fact]
    public async Task A_batch_goes_on_at_its_block_after_its_consumer_was_killed_and_takes_effect_once()
    {
        using (var consumer = await ConsumerProcess.HoldingAsync(scene, Lease, 44))
            await consumer.KillAsync();
        Assert.Equal(44, (await scene.AppliedAsync()).Count);
        scene.Service.Server.Fetches.Clear();
        var starts = new List<BatchStart>();
        doing.Starting = start =>
        {
            starts.Add(start);
            return Task.CompletedTask;
        };

        await scene.StartAsync(doing, inbox: options => options.Lease = Lease);

        Assert.Equal(ReceiptState.Completed, (await scene.EndedAsync()).State);
        Assert.Equal(100, (await scene.AppliedAsync()).Count(each => each.Value == 1));
        var start = Assert.Single(starts);
        Assert.True(start.IsResumed);
        Assert.Equal(new BatchPosition(scene.Service.BatchId, 1, 1, 4, 44), start.Position);
        var fetches = scene.Service.Server.Fetches.ToList();
        Assert.DoesNotContain(fetches, fetch => fetch.Name.StartsWith("part-00001", StringComparison.Ordinal));
        var second = Assert.Single(fetches, fetch => fetch.Name == "part-00002.csv.gz");
        Assert.NotEqual("bytes=0-", second.Range);
    }

    [Fact]
    public async Task A_paused_consumer_whose_batch_was_taken_over_commits_nothing_more()
    {
        using var zombie = await ConsumerProcess.HoldingAsync(scene, Lease, 44);
        await zombie.PauseAsync();
        // It has written rows that it has not committed, which who takes over writes too.
        await scene.StartAsync(doing, inbox: options => options.Lease = Lease);
        Assert.Equal(ReceiptState.Completed, (await scene.EndedAsync()).State);
        await zombie.ResumeAsync();

        // Its transaction ends, one way or the other.
        await Deadline.UntilAsync(() =>
            scene.AskAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE "
                + "'idle in transaction%'").Result == 0);
        Assert.Equal(100, (await scene.AppliedAsync()).Count(each => each.Value == 1));
        Assert.Equal(
            "settled 100", await scene.AskAsync<string>("SELECT state || ' ' || succeeded FROM claimcheck.inbox_batches"));
    }

    [Fact]
    public async Task A_consumer_paused_while_it_renews_its_lease_keeps_the_batch_from_nobody()
    {
        using var consumer = await ConsumerProcess.HoldingAsync(scene, Lease, 44);
        await consumer.KillAsync();
        await using var database = new InboxDatabase(new InboxOptions { ConnectionString = scene.Database, Lease = Lease });
        var (renewed, paused) = (new TaskCompletionSource(), new TaskCompletionSource());
        var renewing = database.TransactAsync(
            async transaction =>
            {
                const string sql = "UPDATE claimcheck.inbox_batches SET leased_until = clock_timestamp()";
                await using var renew = new NpgsqlCommand(sql, transaction.Connection, transaction);
                Assert.Equal(1, await renew.ExecuteNonQueryAsync());
                renewed.SetResult();
                await paused.Task;
                return true;
            },
            CancellationToken.None);
        await renewed.Task;

        await scene.StartAsync(doing, inbox: options => options.Lease = Lease);

        Assert.Equal(ReceiptState.Completed, (await scene.EndedAsync()).State);
        Assert.Equal(100, (await scene.AppliedAsync()).Count(each => each.Value == 1));
        paused.SetResult();
        await Assert.ThrowsAsync<InboxUnavailableException>(() => renewing);
    }
}
