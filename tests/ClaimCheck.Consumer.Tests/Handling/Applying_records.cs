using ClaimCheck.Contracts;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ClaimCheck.Consumer.Tests.Handling;

public sealed class Applying_records : IAsyncLifetime
{
    private readonly Doing<Order> doing = new();
    private RecordScene scene = null!;

    public async Task InitializeAsync() => scene = await RecordScene.CreateAsync();

    public async Task DisposeAsync() => await scene.DisposeAsync();

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task Texts_are_kept_as_they_were_behind_a_pooler_that_drops_settings(string format)
    {
        await using var own = await RecordScene.CreateAsync(8, format);
        await own.ExecuteAsync("CREATE TABLE named (id bigint, name text, at timestamptz)");
        await using var pooler = await Testing.CarelessPooler.BeforeAsync(own.Database);
        doing.Handle = async (chunk, cancellationToken) =>
        {
            foreach (var record in chunk)
            {
                if (record.Value.Id == 3)
                {
                    record.FailTerminal("bad_data", "não dá 🚚");
                    continue;
                }
                await using var command = new NpgsqlCommand(
                    "INSERT INTO named VALUES ($1, $2, $3)", chunk.Connection, chunk.Transaction);
                command.Parameters.AddWithValue(record.Value.Id);
                command.Parameters.AddWithValue(
                    NpgsqlTypes.NpgsqlDbType.Text, (object?)record.Value.CustomerName ?? DBNull.Value);
                command.Parameters.AddWithValue(record.Value.PlacedAt.UtcDateTime);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }
        };
        own.Service.Publish(own.Service.Ready());
        using var host = RecordScene.Build(own.Service.Server.Address, pooler.ConnectionString, doing, log: own.Log);
        await host.StartAsync();
        Assert.Equal(ReceiptState.PartiallyFailed, (await own.EndedAsync()).State);
        await host.StopAsync();

        foreach (var order in Enumerable.Range(1, 8).Where(i => i != 3).Select(Order.Number))
        {
            var (id, at) = (order.Id, order.PlacedAt.ToUnixTimeSeconds());
            Assert.Equal(order.CustomerName, await own.AskAsync<string>(
                $"SELECT name FROM named WHERE id = {id} AND at = to_timestamp({at})"));
        }
        Assert.Equal("não dá 🚚", Assert.Single(own.Service.Failures(RecordScene.Consumer)).Message);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task Every_record_is_applied_once_and_the_service_is_told(string format)
    {
        await using var own = await RecordScene.CreateAsync(40, format);
        var seen = new List<Order>();
        var ordinals = new List<long>();
        var (started, completed) = (0, new RecordCounts());
        doing.Starting = start => Task.FromResult(started += start.IsResumed ? 100 : 1);
        doing.Completed = end => Task.FromResult(completed = end.Counts);
        doing.Handle = (chunk, cancellationToken) =>
        {
            seen.AddRange(chunk.Values);
            ordinals.AddRange(chunk.Select(record => record.Ordinal));
            Assert.True(chunk.Count is > 0 and <= 4);
            return RecordScene.ApplyAsync(chunk, cancellationToken);
        };
        own.Service.Publish(own.Service.Ready());

        await own.StartAsync(doing);

        var receipt = await own.EndedAsync();
        Assert.Equal(
            (ReceiptState.Completed, 40L, 0L, 0L), (receipt.State, receipt.Succeeded, receipt.Transient, receipt.Terminal));
        Assert.Equal(Enumerable.Range(1, 40).Select(Order.Number), seen);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (long)i), ordinals);
        Assert.Equal(40, (await own.AppliedAsync()).Count(each => each.Value == 1));
        Assert.Equal((1, new RecordCounts(40, 0, 0)), (started, completed));
        Assert.Equal(ReceiptState.Received, own.Service.Told.First().State);
        Assert.Empty(own.Service.Retries);
    }

    [Fact]
    public async Task Records_that_fail_are_told_by_key_before_the_receipt_and_add_up()
    {
        doing.Handle = (chunk, cancellationToken) =>
        {
            foreach (var order in chunk)
            {
                if (order.Value.Id % 10 == 3)
                    order.FailTransient("db_down", "The store is away.");
                else if (order.Value.Id == 17)
                    order.FailTerminal("unknown_customer");
            }
            return RecordScene.ApplyAsync(chunk, cancellationToken, order => order.Value.Id % 10 == 3 || order.Value.Id == 17);
        };
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing);

        var receipt = await scene.EndedAsync();
        Assert.Equal(
            (ReceiptState.PartiallyFailed, 35L, 4L, 1L), (receipt.State, receipt.Succeeded, receipt.Transient, receipt.Terminal));
        Assert.Equal(
            ["13 transient db_down The store is away.", "17 terminal unknown_customer ",
                "23 transient db_down The store is away.",
                "3 transient db_down The store is away.", "33 transient db_down The store is away."],
            scene.Service.Failures(RecordScene.Consumer).Select(each => $"{each.Key} {each.Class} {each.Code} {each.Message}"));
        Assert.Equal(35, (await scene.AppliedAsync()).Count(each => each.Value == 1));
        await Deadline.UntilAsync(() => !scene.Service.Retries.IsEmpty);
        Assert.Equal(scene.Service.BatchId, scene.Service.Retries.Single());
        await Deadline.UntilAsync(() => scene.AskAsync<long>("SELECT count(*) FROM claimcheck.inbox_receipts").Result == 0);
        Assert.Equal(0, await scene.AskAsync<long>("SELECT count(*) FROM claimcheck.inbox_failures"));
    }

    [Fact]
    public async Task A_chunk_whose_handler_throws_is_undone_and_fails_alone()
    {
        doing.Handle = async (chunk, cancellationToken) =>
        {
            await RecordScene.ApplyAsync(chunk, cancellationToken);
            if (chunk.Start.Records == 4)
                throw new InvalidOperationException("The customer Zoë is to blame.");
            if (chunk.Start.Records == 14)
                throw new ArgumentOutOfRangeException(nameof(chunk));
        };
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing, options => options.Fail<ArgumentException>("bad_order", isTransient: false));

        var receipt = await scene.EndedAsync();
        Assert.Equal(
            (ReceiptState.PartiallyFailed, 32L, 4L, 4L), (receipt.State, receipt.Succeeded, receipt.Transient, receipt.Terminal));
        Assert.Equal(
            ["15 terminal bad_order", "16 terminal bad_order", "17 terminal bad_order", "18 terminal bad_order",
                "5 transient handler_failed",
                "6 transient handler_failed", "7 transient handler_failed", "8 transient handler_failed"],
            scene.Service.Failures(RecordScene.Consumer).Select(each => $"{each.Key} {each.Class} {each.Code}"));
        Assert.Equal(32, (await scene.AppliedAsync()).Count);
        Assert.True(scene.Log.Has(LogLevel.Warning, "threw InvalidOperationException"));
    }

    [Fact]
    public async Task Errors_of_the_database_that_break_the_transaction_fail_their_chunk_alone()
    {
        await scene.ExecuteAsync("CREATE TABLE late (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        doing.Handle = async (chunk, cancellationToken) =>
        {
            await RecordScene.ApplyAsync(chunk, cancellationToken);
            await using var command = new NpgsqlCommand("SELECT 1 / 0", chunk.Connection, chunk.Transaction);
            switch (chunk.Start.Records)
            {
                case 0: // thrown
                    await command.ExecuteNonQueryAsync(cancellationToken);
                    break;
                case 10: // swallowed: the transaction is broken all the same
                    await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(cancellationToken));
                    break;
                case 20: // found only when it is to be committed
                    command.CommandText = "INSERT INTO late VALUES (1), (1)";
                    await command.ExecuteNonQueryAsync(cancellationToken);
                    break;
            }
        };
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing);

        var receipt = await scene.EndedAsync();
        Assert.Equal((28L, 12L, 0L), (receipt.Succeeded, receipt.Transient, receipt.Terminal));
        Assert.Equal(28, (await scene.AppliedAsync()).Count(each => each.Value == 1));
    }

    [Fact]
    public async Task A_transient_error_of_the_database_has_the_chunk_handed_over_again()
    {
        var attempts = new List<int>();
        doing.Handle = async (chunk, cancellationToken) =>
        {
            await RecordScene.ApplyAsync(chunk, cancellationToken);
            if (chunk.Start.Records != 8)
                return;
            attempts.Add(chunk.Attempt);
            if (chunk.Attempt == 3)
                return;
            chunk[0].FailTerminal("of_an_attempt_that_does_not_count");
            await using var command = new NpgsqlCommand(
                "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", chunk.Connection, chunk.Transaction);
            await command.ExecuteNonQueryAsync(cancellationToken);
        };
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(doing);

        Assert.Equal(ReceiptState.Completed, (await scene.EndedAsync()).State);
        Assert.Equal([1, 2, 3], attempts);
        Assert.Equal(40, (await scene.AppliedAsync()).Count(each => each.Value == 1));
    }

    [Fact]
    public async Task A_record_that_does_not_fit_its_type_is_a_failure_of_its_own()
    {
        var narrow =
            new Doing<Narrow> { Handle = (chunk, cancellationToken) => RecordScene.ApplyAsync(chunk, cancellationToken) };
        scene.Service.Publish(scene.Service.Ready());

        await scene.StartAsync(narrow);

        var receipt = await scene.EndedAsync();
        Assert.Equal((30L, 0L, 10L), (receipt.Succeeded, receipt.Transient, receipt.Terminal));
        Assert.All(scene.Service.Failures(RecordScene.Consumer), each =>
            Assert.Equal("terminal record_mismatch", $"{each.Class} {each.Code}"));
        Assert.Equal(30, (await scene.AppliedAsync()).Count);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task Raw_records_can_be_read_in_any_order_until_the_handler_returns(string format)
    {
        await using var own = await RecordScene.CreateAsync(40, format);
        var names = new Dictionary<long, string?>();
        Record kept = default;
        var raw = new Doing<Record>
        {
            Handle = (chunk, cancellationToken) =>
            {
                for (var i = chunk.Count - 1; i >= 0; i--)
                    names[chunk[i].Value.Get<long>("id")] = chunk[i].Value["customer_name"];
                Assert.Equal(chunk[0].Key, System.Text.Encoding.UTF8.GetString(chunk.Values[0].GetUtf8(0)));
                kept = chunk[0].Value;
                return RecordScene.ApplyAsync(chunk, cancellationToken);
            },
        };
        own.Service.Publish(own.Service.Ready());

        await own.StartAsync(raw);

        Assert.Equal(ReceiptState.Completed, (await own.EndedAsync()).State);
        Assert.Equal(
            Enumerable.Range(1, 40).Select(i => Order.Number(i).CustomerName),
            names.OrderBy(each => each.Key).Select(each => each.Value));
        Assert.Throws<InvalidOperationException>(() => kept.Key);
    }

    [Fact]
    public async Task Duplicates_have_no_effect_whoever_gets_them()
    {
        doing.Handle = (chunk, cancellationToken) => RecordScene.ApplyAsync(chunk, cancellationToken);
        scene.Service.Publish(scene.Service.Ready(), scene.Service.Ready());
        using (var first = await scene.StartAsync(doing))
        {
            await scene.EndedAsync();
            scene.Service.Publish(scene.Service.Ready());
            await Deadline.UntilAsync(
                () => scene.AskAsync<string>("SELECT max(cursor) FROM claimcheck.inbox_cursors").Result == "3");
            await first.StopAsync();
        }
        await scene.ExecuteAsync("DELETE FROM claimcheck.inbox_cursors"); // the feed comes again, from its oldest event

        await scene.StartAsync(doing);

        await Deadline.UntilAsync(() => scene.AskAsync<string>("SELECT max(cursor) FROM claimcheck.inbox_cursors").Result == "3");
        Assert.Equal(40, (await scene.AppliedAsync()).Count(each => each.Value == 1));
        Assert.Single(scene.Service.Told, each => each.State == ReceiptState.Completed);
    }

    [Fact]
    public async Task A_batch_without_records_is_completed()
    {
        await using var empty = await RecordScene.CreateAsync(0);
        empty.Service.Publish(empty.Service.Ready());

        await empty.StartAsync(doing);

        Assert.Equal(ReceiptState.Completed, (await empty.EndedAsync()).State);
    }

    internal sealed record Narrow(long Id, string CustomerName);
}
