using ClaimCheck.Service.Tests.Exporting;
using Npgsql;

namespace ClaimCheck.Service.Tests.Sources;

/// <summary>Behind a balancer or a pooler a pid names nobody: what is cancelled is one transaction, and nobody else's.</summary>
public sealed class Cancelling_at_the_source
{
    [Fact]
    public async Task Nothing_but_the_very_transaction_is_cancelled()
    {
        await using var run = await ExportRun.NewAsync();
        await using var session = await run.Source.OpenConnectionAsync();
        await using var transaction = await session.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        var backend = (await ExportRun.Settings.ApplyAsync(session, CancellationToken.None)).Backend;
        Assert.NotNull(backend.Started);
        await using var sleep = new NpgsqlCommand("SELECT pg_sleep(120)", session, transaction) { CommandTimeout = 0 };
        var sleeping = sleep.ExecuteNonQueryAsync();
        await using var other = await run.Source.OpenConnectionAsync();

        Assert.False(
            await (backend with { Started = backend.Started.Value.AddSeconds(1) }).CancelAsync(other, CancellationToken.None));
        Assert.False(await (backend with { Started = null }).CancelAsync(other, CancellationToken.None));
        Assert.False(await (backend with { TransactionStarted = backend.TransactionStarted.AddSeconds(-1) })
            .CancelAsync(other, CancellationToken.None));
        await using (var role = new NpgsqlCommand($"SET SESSION AUTHORIZATION pg_signal_backend", other))
        {
            // As another user, that may do it.
            await role.ExecuteNonQueryAsync();
            Assert.False(await backend.CancelAsync(other, CancellationToken.None));
            role.CommandText = "RESET SESSION AUTHORIZATION";
            await role.ExecuteNonQueryAsync();
        }

        Assert.False(sleeping.IsCompleted);
        Assert.True(await backend.CancelAsync(other, CancellationToken.None));
        Assert.Equal(PostgresErrorCodes.QueryCanceled, (await Assert.ThrowsAsync<PostgresException>(() => sleeping)).SqlState);
    }

    [Fact]
    public async Task The_server_itself_looks_whether_its_reader_is_still_there()
    {
        await using var run = await ExportRun.NewAsync();
        const string sql = "SELECT 1 AS id, current_setting('client_connection_check_interval') AS looks";
        Assert.Equal("1,5s\n", await run.TextAsync(sql));
        // An operator's own is left alone.
        await run.ExecuteAsync($"ALTER DATABASE \"{new NpgsqlConnectionStringBuilder(run.Source.ConnectionString).Database}\" "
            + "SET client_connection_check_interval = '40s'");
        Assert.Equal("1,40s\n", await run.TextAsync(sql));
    }
}
