using System.Collections.Concurrent;
using ClaimCheck.Consumer.Tests.Handling;
using ClaimCheck.Consumer.Tests.Listening;
using ClaimCheck.Consumer.Tests.Staging;
using ClaimCheck.Contracts;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ClaimCheck.Consumer.Tests.Inbox;

public sealed class The_inbox : IAsyncLifetime
{
    private readonly Doing<Order> doing =
        new() { Handle = (chunk, cancellationToken) => RecordScene.ApplyAsync(chunk, cancellationToken) };
    private RecordScene scene = null!;

    public async Task InitializeAsync() => scene = await RecordScene.CreateAsync(100);

    public async Task DisposeAsync() => await scene.DisposeAsync();

    [Fact]
    public async Task A_revocation_undoes_the_chunk_in_flight_and_hands_over_no_other()
    {
        var cancelled = new TaskCompletionSource();
        var chunks = 0;
        var discards = new ConcurrentQueue<BatchDiscard>();
        doing.Handle = async (chunk, cancellationToken) =>
        {
            chunks++;
            await RecordScene.ApplyAsync(chunk, cancellationToken);
            if (chunk.Start.Records != 20)
                return;
            scene.Service.Publish(TestEvents.Revoked(chunk.BatchId));
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancelled.SetResult(); // it returns as if nothing were
        };
        doing.Revoked = async discard =>
        {
            discards.Enqueue(discard);
            await using var command = new NpgsqlCommand("DELETE FROM applied", discard.Connection, discard.Transaction);
            await command.ExecuteNonQueryAsync();
        };
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing);

        Assert.Equal(ReceiptState.Discarded, (await scene.EndedAsync()).State);
        await cancelled.Task;
        var known = chunks;
        Assert.Empty(await scene.AppliedAsync());
        Assert.Equal(new RecordCounts(20, 0, 0), Assert.Single(discards).Applied);
        scene.Service.Publish(scene.Service.Ready(), TestEvents.Revoked(scene.Service.BatchId));
        await Deadline.UntilAsync(() => scene.AskAsync<string>("SELECT max(cursor) FROM claimcheck.inbox_cursors").Result == "4");
        Assert.Equal(known, chunks);
        Assert.Single(discards);
    }

    [Fact]
    public async Task A_revocation_that_came_before_its_batch_is_remembered_over_a_restart()
    {
        scene.Service.Publish(TestEvents.Revoked(scene.Service.BatchId));
        using (var first = await scene.StartAsync(doing))
        {
            await scene.EndedAsync();
            await first.StopAsync();
        }
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing);

        await Deadline.UntilAsync(() => scene.AskAsync<string>("SELECT max(cursor) FROM claimcheck.inbox_cursors").Result == "2");
        Assert.Empty(await scene.AppliedAsync());
        Assert.Equal(ReceiptState.Discarded, scene.Service.Receipt(RecordScene.Consumer)!.State);
    }

    [Fact]
    public async Task A_revocation_that_only_the_service_knows_of_discards_the_batch_too_also_where_the_handler_fails_at_first()
    {
        var (tries, discarded) = (0, 0);
        doing.Revoked = _ => Interlocked.Increment(ref tries) < 3
            ? throw new InvalidOperationException("Not now.")
            : Task.FromResult(Interlocked.Increment(ref discarded));
        scene.Service.Server.End(ProblemCodes.BatchRevoked);
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing);

        Assert.Equal(ReceiptState.Discarded, (await scene.EndedAsync()).State);
        Assert.Equal(1, discarded);
    }

    [Fact]
    public async Task A_receipt_that_a_stop_breaks_off_is_sent_before_the_end()
    {
        var reached = new TaskCompletionSource();
        scene.Service.Instead = request =>
            request.Method == "PUT"
            && ((string)request.HttpContext.Items["body"]!).Contains(ReceiptState.Completed, StringComparison.Ordinal)
            && reached.TrySetResult()
                ? new Unanswered()
                : null;
        scene.Service.Publish(scene.Service.Ready());
        using var host = await scene.StartAsync(doing);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60));

        await host.StopAsync();

        Assert.Equal(ReceiptState.Completed, scene.Service.Receipt(RecordScene.Consumer)?.State);
        Assert.Equal(0, await scene.AskAsync<long>("SELECT count(*) FROM claimcheck.inbox_receipts"));
    }

    [Fact]
    public async Task Of_two_processes_one_works_and_the_other_waits()
    {
        var handlers = new ConcurrentDictionary<int, int>();
        var (both, count) = (new TaskCompletionSource(), 0);
        doing.Handle = async (chunk, cancellationToken) =>
        {
            handlers.AddOrUpdate(chunk.Connection.ProcessID, 1, (_, times) => times + 1);
            if (Interlocked.Increment(ref count) == 3)
                await both.Task;
            await RecordScene.ApplyAsync(chunk, cancellationToken);
        };
        scene.Service.Publish(scene.Service.Ready());
        await scene.StartAsync(doing);
        await scene.StartAsync(doing);
        await Deadline.UntilAsync(() => scene.Log.Has(LogLevel.Information, "Another process works on batch"));
        both.SetResult();

        Assert.Equal(ReceiptState.Completed, (await scene.EndedAsync()).State);

        Assert.Equal(100, (await scene.AppliedAsync()).Count(each => each.Value == 1));
        Assert.Single(handlers);
        await Deadline.UntilAsync(() => scene.AskAsync<string>("SELECT max(cursor) FROM claimcheck.inbox_cursors").Result == "1");
        Assert.False(scene.Log.Has(LogLevel.Warning, "is to be tried again"));
    }

    [Fact]
    public async Task Receipts_wait_for_a_service_that_is_away_over_restarts_too()
    {
        scene.Service.Instead = request => request.Method == "GET" ? null : StagingServer.Problem(503, "catalog_unavailable");
        doing.Handle = (chunk, cancellationToken) =>
        {
            chunk[0].FailTransient("db_down");
            return RecordScene.ApplyAsync(chunk, cancellationToken, record => record == chunk[0]);
        };
        scene.Service.Publish(scene.Service.Ready());
        using (var first = await scene.StartAsync(doing))
        {
            await Deadline.UntilAsync(
                () => scene.AskAsync<string>("SELECT state FROM claimcheck.inbox_batches").Result == "settled");
            await first.StopAsync();
        }
        Assert.Empty(scene.Service.Told);
        var asked = 0;
        scene.Service.Instead = request =>
        {
            if (!request.Path.Value!.EndsWith("/retries", StringComparison.Ordinal) || Interlocked.Increment(ref asked) > 1)
                return null;
            request.HttpContext.Response.Headers.RetryAfter = "1";
            return StagingServer.Problem(409, "retry_too_early");
        };

        await scene.StartAsync(doing);

        var receipt = await scene.EndedAsync();
        Assert.Equal(100, receipt.Succeeded + receipt.Transient);
        await Deadline.UntilAsync(() => !scene.Service.Retries.IsEmpty);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_receipt_that_is_refused_is_kept_and_not_sent_again()
    {
        scene.Service.Instead = request => request.Method == "PUT" ? StagingServer.Problem(422, "counts_do_not_add_up") : null;
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing);

        await Deadline.UntilAsync(
            () => scene.AskAsync<string>("SELECT refused_code FROM claimcheck.inbox_receipts").Result == "counts_do_not_add_up");
        Assert.True(scene.Log.Has(LogLevel.Error, "The service refuses the receipt completed"));
    }

    [Fact]
    public async Task A_consumer_that_may_not_create_tables_uses_the_operator_s()
    {
        await scene.ExecuteAsync(InboxScript.Sql);
        await scene.ExecuteAsync(InboxScript.Sql);
        var role = $"role_{Guid.NewGuid():N}";
        await scene.ExecuteAsync($"""
            CREATE ROLE {role} LOGIN PASSWORD 'x';
            GRANT USAGE ON SCHEMA claimcheck TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA claimcheck TO {role};
            GRANT SELECT, INSERT, UPDATE ON applied TO {role};
            """);
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(
            doing, inbox: options => options.ConnectionString =
                new NpgsqlConnectionStringBuilder(scene.Database) { Username = role, Password = "x" }.ConnectionString);

        Assert.Equal(ReceiptState.Completed, (await scene.EndedAsync()).State);
        Assert.Equal(100, (await scene.AppliedAsync()).Count);
    }

    [Fact]
    public async Task What_ended_long_ago_is_forgotten_and_what_did_not_is_kept()
    {
        scene.Service.Publish(scene.Service.Ready());
        using (var first = await scene.StartAsync(doing))
        {
            await scene.EndedAsync();
            await first.StopAsync();
        }
        await scene.ExecuteAsync("""
            UPDATE claimcheck.inbox_batches SET updated_at = now() - interval '29 days';
            INSERT INTO claimcheck.inbox_batches (consumer, batch_id, state, updated_at)
            VALUES ('billing', gen_random_uuid(), 'revoked', now() - interval '31 days'), ('crm', gen_random_uuid(), 'revoked', now() - interval '31 days')
            """);

        await scene.StartAsync(doing);

        await Deadline.UntilAsync(() => scene.AskAsync<string>(
            "SELECT string_agg(consumer || ' ' || state, ', ' ORDER BY "
            + "consumer) FROM claimcheck.inbox_batches").Result == "billing settled, crm revoked");
    }

    [Fact]
    public async Task An_inbox_that_is_away_is_waited_for()
    {
        var name = new NpgsqlConnectionStringBuilder(scene.Database).Database;
        var admin = new NpgsqlConnectionStringBuilder(scene.Database) { Database = "postgres", Pooling = false }.ConnectionString;
        var times = 0;
        doing.Handle = async (chunk, cancellationToken) =>
        {
            await RecordScene.ApplyAsync(chunk, cancellationToken);
            if (Interlocked.Increment(ref times) == 5)
                await ExecuteAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM "
                    + $"pg_stat_activity WHERE datname = '{name}'");
        };
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing, listen: options => options.MaxAttempts = 1);
        await Deadline.UntilAsync(() => scene.Log.Has(LogLevel.Warning, $"{scene.Service.BatchId} waits for the inbox"));
        await ExecuteAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS true");

        Assert.Equal(ReceiptState.Completed, (await scene.EndedAsync()).State);
        Assert.Equal(100, (await scene.AppliedAsync()).Count(each => each.Value == 1));

        async Task ExecuteAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(admin);
            await connection.OpenAsync();
            foreach (var statement in sql.Split(';'))
            {
                await using var command = new NpgsqlCommand(statement, connection);
                await command.ExecuteNonQueryAsync();
            }
        }
    }

    private sealed class Unanswered : Microsoft.AspNetCore.Http.IResult
    {
        public async Task ExecuteAsync(Microsoft.AspNetCore.Http.HttpContext httpContext) =>
            await Task.Delay(Timeout.Infinite, httpContext.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
