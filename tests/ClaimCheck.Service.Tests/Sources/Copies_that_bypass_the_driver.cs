using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Tests.Exporting;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Sources;

/// <summary>Large exports take their records off the connection beside the driver: they are the same records.</summary>
public sealed class Copies_that_bypass_the_driver
{
    [Theory]
    [InlineData("SELECT i AS id FROM generate_series(1, 200000) i")]
    [InlineData("SELECT i AS id, repeat(md5(i::text), i * 100) AS text FROM generate_series(1, 200) i")]
    [InlineData("SELECT i AS id, repeat('x', 5000000) AS text FROM generate_series(1, 5) i")]
    [InlineData("SELECT i AS id, pg_sleep(0.02)::text AS text FROM generate_series(1, 30) i")]
    [InlineData("SELECT 1 AS id WHERE false")]
    public async Task Are_the_same_as_without(string sql)
    {
        await using var run = await ExportRun.NewAsync();
        foreach (var format in (string[])["csv", "ndjson"])
        {
            run.Format = format;
            run.Options = new ExportingOptions { BypassRecords = long.MaxValue };
            var without = await run.TextAsync(sql);
            run.Options = new ExportingOptions { BypassRecords = 0 };
            Assert.Equal(without, await run.TextAsync(sql));
        }
    }

    [Fact]
    public async Task Are_of_the_holder_s_snapshot()
    {
        await using var run = await ExportRun.NewAsync("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 10) i");
        await using var sessions = await OpenAsync(run);
        Assert.True(Assert.Single(sessions.Readers).IsBypassing);
        await run.ExecuteAsync("DELETE FROM t");

        Assert.Equal(10, await CountAsync(sessions.Readers[0]));
        Assert.Equal(10, await CountAsync(sessions.Readers[0])); // of one statement after the other
    }

    [Fact]
    public async Task Are_not_made_where_the_connection_is_encrypted()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        await Scene.SqlAsync(database, "CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 10) i");
        await using var proxy = EncryptingProxy.Before(database);
        await using var run = await ExportRun.OnAsync(proxy.ConnectionString);
        await using var sessions = await OpenAsync(run);

        Assert.False(Assert.Single(sessions.Readers).IsBypassing);
        Assert.Equal(10, await CountAsync(sessions.Readers[0]));
    }

    [Fact]
    public async Task That_are_read_by_nobody_end_with_their_session()
    {
        await using var run = await ExportRun.NewAsync();
        await using (var sessions = await OpenAsync(run))
        {
            await using var copy = await sessions.Readers[0].CopyAsync(
                "SELECT generate_series(1::bigint, 100000000000) AS id", "FORMAT csv", CancellationToken.None);
            Assert.True(await copy.ReadAsync(new byte[1000]) > 0);
        }

        await Eventually.TrueAsync(() => Scene.ScalarAsync<bool>(
            run.Source.ConnectionString,
            "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database()"));
    }

    private static async Task<SourceSessions> OpenAsync(ExportRun run)
    {
        var holder = await SourceSession.OpenAsync(() => run.Source, ExportRun.Settings, CancellationToken.None);
        return await SourceSessions.OpenAsync(holder, 1, bypassing: true, CancellationToken.None);
    }

    private static async Task<int> CountAsync(SourceSession session)
    {
        await using var copy = await session.CopyAsync("SELECT id FROM t", "FORMAT csv", CancellationToken.None);
        var (lines, space) = (0, new byte[1000]);
        while (await copy.ReadAsync(space) is var count and > 0)
            lines += space.AsSpan(0, count).Count((byte)'\n');
        return lines;
    }
}
