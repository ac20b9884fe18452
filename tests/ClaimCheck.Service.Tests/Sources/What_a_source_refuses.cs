using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Exporting;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Service.Tests.Sources;

/// <summary>Each failure of a real source says what it is and what to do about it, and no value of a row.</summary>
public sealed class What_a_source_refuses
{
    [Fact]
    public async Task Limits_permissions_and_other_sides_rules_are_told_apart()
    {
        await using var run = await ExportRun.NewAsync("""
            CREATE SEQUENCE s;
            CREATE TABLE t (id int PRIMARY KEY, note text);
            INSERT INTO t SELECT g, 'secret' FROM generate_series(1, 10) g;
            CREATE FUNCTION huge() RETURNS int LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'invalid memory alloc request size 1100000000' USING ERRCODE = 'XX000'; END $$;
            CREATE FUNCTION refuse(state text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = state; END $$;
            """);
        run.Options = new() { StatementTimeout = TimeSpan.FromMilliseconds(300) };
        await FailsAsync(run, "SELECT 1 AS id FROM pg_sleep(30)", "source_query_timeout", false,
            "The statement took longer than it may (a statement timeout).", "raise the limit");
        run.Options = new() { LockTimeout = TimeSpan.FromMilliseconds(100) };
        await using (var other = await run.Source.OpenConnectionAsync())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock(7)", other, transaction);
            await take.ExecuteNonQueryAsync();
            await FailsAsync(
                run, "SELECT id FROM t, (SELECT pg_advisory_lock(7)) l", "source_unavailable", true, "stayed locked");
        }

        run.Options = new();
        await FailsAsync(run, "SELECT nextval('s') AS id", "source_query_failed", false, "read-only", "may not write");
        await FailsAsync(run, "SELECT id, note::int FROM t", "source_query_failed", false, "not a valid value of its type");
        await FailsAsync(run, "SELECT id, id / (id - 5) AS n FROM t", "source_query_failed", false, "divided by zero");
        await FailsAsync(run, "SELECT id, repeat(note, 300000000) AS n FROM t", "record_too_large", false,
            "larger than the source's Postgres can send");
        await FailsAsync(
            run, "SELECT id, huge() AS n FROM t", "record_too_large", false, "larger than the source's Postgres can send");
        await FailsAsync(run, "SELECT id, refuse('53100') FROM t", "source_query_failed", true, "The server's disk is full.",
            "Free some space");
        await FailsAsync(run, "SELECT id, refuse('P0001') FROM t", "source_query_failed", false,
            "A function or trigger of the database refuses it.");
        await FailsAsync(run, "SELECT id, refuse('25P04') FROM t", "source_query_timeout", false, "transaction_timeout");
        await FailsAsync(
            run, "SELECT id, refuse('AB123') FROM t", "source_query_failed", false, "The database refuses it. (SQLSTATE AB123)");
    }

    [Fact]
    public async Task A_role_that_may_not_read_and_a_password_that_is_wrong_are_named()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var way = await PostgresServer.NewSignedRoleAsync(database, "right");
        await Scene.SqlAsync(database, "CREATE TABLE hidden (id int PRIMARY KEY); CREATE VIEW seen AS SELECT 1 AS id");
        await using (var run = await ExportRun.OnAsync(way.ConnectionString))
        {
            await FailsAsync(
                run, "SELECT id FROM hidden", "source_query_failed", false,
                "permission denied. The server said: permission denied for table hidden. Grant the role what it needs.");
        }

        way.Password = "wrong";
        await using var refused = await ExportRun.OnAsync(way.ConnectionString);
        var failure = await FailsAsync(
            refused, "SELECT 1 AS id", "source_unavailable", true, "password authentication failed", "(SQLSTATE 28P01)");
        Assert.DoesNotContain(way.Username!, failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SQL_ASCII", "22021", "checks no text")]
    [InlineData("UTF8", "22P05", "UTF8")]
    public async Task A_text_that_is_none_in_UTF8_is_told_as_that(string encoding, string state, string text)
    {
        await using var run = await ExportRun.OnAsync(await PostgresServer.NewDatabaseAsync(encoding));
        // In SQL_ASCII any bytes are texts; and where a conversion is asked for, a character may be missing on the other side.
        var sql = encoding == "SQL_ASCII"
            ? "SELECT 1 AS id, E'\\xe4'::text AS note"
            : "SELECT 1 AS id, convert_to('\u20ac', 'LATIN1') AS note";
        await FailsAsync(run, sql, "source_query_failed", false, state, text);
    }

    [Fact]
    public async Task A_source_in_another_encoding_is_exported_as_UTF8()
    {
        await using var run = await ExportRun.OnAsync(await PostgresServer.NewDatabaseAsync("LATIN1"));
        Assert.Equal("1,Gr\u00fc\u00dfe\n", await run.TextAsync("SELECT 1 AS id, 'Gr\u00fc\u00dfe' AS note"));
    }

    [Fact]
    public async Task A_standby_that_cancels_for_its_replay_says_so()
    {
        using var pair = await StandbyPair.StartAsync("CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g");
        await Scene.SqlAsync(pair.Standby, "ALTER SYSTEM SET max_standby_streaming_delay = 0");
        await Scene.SqlAsync(pair.Standby, "SELECT pg_reload_conf()");
        await pair.CatchUpAsync();
        await using var run = await ExportRun.OnAsync(pair.Standby);
        await Scene.SqlAsync(pair.Primary, "CREATE TABLE committed ()");
        await pair.CatchUpAsync();

        var exporting = FailsAsync(
            run, "SELECT t.id FROM t, (SELECT pg_sleep(60)) AS s ORDER BY 1", "source_query_failed", true,
            "The source is a standby", "max_standby_streaming_delay", "hot_standby_feedback");
        await Eventually.TrueAsync(() => Scene.ScalarAsync<bool>(
            pair.Standby, "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'"));
        await Scene.SqlAsync(pair.Primary, "DELETE FROM t WHERE id % 2 = 0");
        await Scene.SqlAsync(pair.Primary, "VACUUM t");
        await exporting;
    }

    private static async Task<SourceException> FailsAsync(
        ExportRun run, string sql, string code, bool isTransient, params string[] texts)
    {
        run.Staged = new();
        var failure = await Assert.ThrowsAsync<SourceException>(
            () => run.ExportAsync(
                sql, columns: sql.Contains("hidden", StringComparison.Ordinal) ? [new("id", "integer", true)] : null));
        Assert.True((code, isTransient) == (failure.Code, failure.IsTransient), $"{sql}: {failure.Code}, {failure.Message}");
        Assert.All(texts, text => Assert.Contains(text, failure.Message, StringComparison.Ordinal));
        Assert.DoesNotContain("The query failed", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        return failure;
    }
}
