using System.Diagnostics;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Staging;
using Npgsql;

namespace ClaimCheck.Service.Tests.Exporting;

public sealed class Exports_that_fail
{
    private const string Endless =
        "SELECT i AS id, md5(i::text) AS note FROM (SELECT generate_series(1::bigint, 100000000) AS i) AS rows";

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task A_record_without_a_key_fails_the_export_by_its_place(string format)
    {
        await using var run = await ExportRun.NewAsync();
        run.Format = format;

        var failure = await FailAsync(run, """
            SELECT 'secret,' AS a, 'x' AS b, CASE WHEN i < 70000 THEN i END AS id, 'z' AS c FROM generate_series(1, 100000) AS i
            """);

        Assert.Equal(("key_null", false), (failure.Code, failure.IsTransient));
        Assert.Equal("Record 70000 has no key.", failure.Message);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("ndjson")]
    public async Task Equal_neighbours_fail_the_export_where_the_keys_are_in_order(string format)
    {
        await using var run = await ExportRun.NewAsync();
        (run.Format, run.TrustsKey) = (format, true);
        const string sql =
            "SELECT 'a \"b\", c' AS note, 'key, ' || least(i, 65432) AS id FROM generate_series(1, 65433) AS i ORDER BY i";
        await run.ExportAsync(sql);

        run.OrderedBy = "id";
        run.Staged = new StagedObjects();
        var failure = await FailAsync(run, sql);

        Assert.Equal(("key_not_unique", false), (failure.Code, failure.IsTransient));
        Assert.Equal("Record 65433 has the key of the record before it.", failure.Message);
    }

    [Fact]
    public async Task An_empty_text_is_a_key_and_a_null_in_a_single_column_is_not()
    {
        await using var run = await ExportRun.NewAsync();
        await run.ExportAsync("SELECT ''::text AS id");
        run.Staged = new StagedObjects();

        Assert.Equal("key_null", (await FailAsync(run, "SELECT NULL::text AS id")).Code);
    }

    [Fact]
    public async Task Columns_that_are_not_the_frozen_ones_fail_the_export()
    {
        await using var run = await ExportRun.NewAsync();
        const string sql = "SELECT 1 AS id, 2::numeric(5,1) AS price";

        foreach (var type in new[] { "numeric(5,2)", "integer" })
            Assert.Equal(
                "schema_changed", (await FailAsync(run, sql, [new("id", "integer", true), new("price", type, true)])).Code);
        Assert.Equal("schema_changed", (await FailAsync(run, sql, [new("id", "integer", true)])).Code);
        await run.ExportAsync(sql, columns: [new("id", "integer", Nullable: false), new("price", "numeric(5,1)", true)]);
    }

    [Fact]
    public async Task A_query_that_fails_midway_leaves_nothing_and_does_not_tell_the_data()
    {
        await using var run = await ExportRun.NewAsync();
        run.MaxFileBytes = 64 << 10;

        var failure = await FailAsync(run, """
            SELECT i AS id, CASE WHEN i < 200000 THEN '1' ELSE 'secret' END::int AS n FROM generate_series(1, 300000) AS i
            """);

        Assert.Equal(("source_query_failed", false), (failure.Code, failure.IsTransient));
        Assert.Equal("A text is not a valid value of its type. (SQLSTATE 22P02)", failure.Message);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_is_gone_is_a_failed_query()
    {
        await using var run = await ExportRun.NewAsync();

        var failure = await FailAsync(run, "SELECT id FROM gone", [new("id", "integer", true)]);

        Assert.Equal(("source_query_failed", false), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task A_query_that_writes_is_refused()
    {
        await using var run = await ExportRun.NewAsync("CREATE SEQUENCE s");

        var failure = await FailAsync(run, "SELECT nextval('s') AS id");
        Assert.StartsWith(
            "The database or the transaction is read-only, and the statement writes. The server said: cannot execute nextval() "
            + "in a read-only transaction.",
            failure.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_times_out()
    {
        await using var run = await ExportRun.NewAsync();
        run.Options = new() { StatementTimeout = TimeSpan.FromSeconds(1) };

        var failure = await FailAsync(run, "SELECT 1 AS id FROM pg_sleep(30)");

        Assert.Equal(("source_query_timeout", false), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task Only_the_statement_timeout_limits_a_query()
    {
        await using var run = await ExportRun.NewAsync(); // whose connections give up a command after 1 second

        await run.TextAsync("SELECT i AS id, repeat('x', 10000) || pg_sleep(1.5) AS slow FROM generate_series(1, 3) AS i");

        Assert.Equal(3, run.Meter.Records);
    }

    [Theory]
    [InlineData("pg_cancel_backend", "source_query_cancelled")]
    [InlineData("pg_terminate_backend", "source_unavailable")]
    public async Task What_an_administrator_of_the_source_ends_may_be_tried_again(string function, string code)
    {
        await using var run = await ExportRun.NewAsync();
        var failing = FailAsync(run, Endless);
        await UntilAsync(async () => run.Meter.Records > 0 && await CopiesAsync(run, $"count({function}(pid))") > 0);

        var failure = await failing;

        Assert.Equal((code, true), (failure.Code, failure.IsTransient));
    }

    [Fact]
    public async Task A_source_that_refuses_connections_is_unavailable()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Timeout=2");

        var failure = await Assert.ThrowsAsync<SourceException>(
            () => SourceSession.OpenAsync(() => nowhere, ExportRun.Settings, CancellationToken.None));

        Assert.Equal(("source_unavailable", true), (failure.Code, failure.IsTransient));
    }

    [Theory]
    [InlineData(Endless)]
    [InlineData("SELECT count(*) AS id FROM generate_series(1::bigint, 100000000000) AS i")]
    public async Task Cancelling_stops_the_statement_at_the_source(string sql)
    {
        await using var run = await ExportRun.NewAsync();
        using var cancel = new CancellationTokenSource();
        var exporting = run.ExportAsync(sql, cancellationToken: cancel.Token);
        await UntilAsync(async () => await CopiesAsync(run, "count(*)") == 1);

        var since = Stopwatch.StartNew();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => exporting);
        await UntilAsync(async () => await CopiesAsync(run, "count(*)") == 0);
        Assert.True(since.Elapsed < TimeSpan.FromSeconds(30), $"It took {since.Elapsed}.");
        Assert.Equal(0, run.Staged.Open);
    }

    [Fact]
    public async Task A_staging_that_fails_ends_the_statement_and_is_told_as_it_is()
    {
        await using var run = await ExportRun.NewAsync();
        var full = new StagingException("The disk is full.", isTransient: true);
        run.Staged = new StagedObjects { BeforeWrite = (_, _) => run.Meter.Records > 100_000 ? throw full : Task.CompletedTask };

        Assert.Same(full, await Assert.ThrowsAsync<StagingException>(() => run.ExportAsync(Endless)));

        await UntilAsync(async () => await CopiesAsync(run, "count(*)") == 0);
        Assert.Equal(0, run.Staged.Open);
        Assert.Equal("1,2\n", await run.TextAsync("SELECT 1 AS id, 2 AS n"));
    }

    [Fact]
    public async Task A_staging_that_stalls_does_not_keep_a_cancellation_waiting()
    {
        await using var run = await ExportRun.NewAsync();
        using var cancel = new CancellationTokenSource();
        var stalled = new TaskCompletionSource();
        run.Staged = new StagedObjects
        {
            BeforeWrite = async (_, token) =>
            {
                stalled.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
            },
        };
        var exporting = run.ExportAsync(Endless, cancellationToken: cancel.Token);
        await stalled.Task;

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => exporting);
        await UntilAsync(async () => await CopiesAsync(run, "count(*)") == 0);
    }

    private static async Task<SourceException> FailAsync(ExportRun run, string sql, IReadOnlyList<Column>? columns = null)
    {
        var failure = await Assert.ThrowsAsync<SourceException>(() => run.ExportAsync(sql, columns: columns));
        Assert.Equal(0, run.Staged.Open);
        return failure;
    }

    private static async Task<long> CopiesAsync(ExportRun run, string what)
    {
        await using var command = run.Source.CreateCommand($"""
            SELECT {what} FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active' AND datname = current_database()
            """);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var since = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(since.Elapsed < TimeSpan.FromMinutes(2), "It did not come true in two minutes.");
            await Task.Delay(10);
        }
    }
}
