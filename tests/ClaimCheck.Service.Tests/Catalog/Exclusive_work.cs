using System.Threading.Channels;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.Service.Tests.Catalog;

/// <summary>Work under a session lock of the catalog.</summary>
public sealed class Exclusive_work
{
    private const long Lock = 4711;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task It_ends_with_the_session_that_holds_its_lock_and_begins_again_under_a_new_one()
    {
        var connectionString =
            new NpgsqlConnectionStringBuilder(await PostgresServer.NewDatabaseAsync()) { KeepAlive = 1 }.ConnectionString;
        await using var catalog = NpgsqlDataSource.Create(connectionString);
        var begun = Channel.CreateUnbounded<int>();
        using var stop = new CancellationTokenSource();
        var running = Exclusive.RunAsync(
            catalog,
            Lock,
            async (connection, token) =>
            {
                await begun.Writer.WriteAsync(connection.ProcessID, token);
                // It says nothing to the server: only the driver's keep-alive can notice that the session is gone.
                await Task.Delay(Timeout.Infinite, token);
            },
            NullLogger.Instance,
            stop.Token);
        var first = await NextAsync(begun);

        await Scene.SqlAsync(connectionString, $"SELECT pg_terminate_backend({first})");

        var second = await NextAsync(begun);
        Assert.NotEqual(first, second);
        Assert.Equal($"{second}", await Scene.ScalarAsync<string>(connectionString, "SELECT string_agg(pid::text, ' "
            + "') FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE "
            + "datname = current_database())"));

        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    private static Task<int> NextAsync(Channel<int> begun) => begun.Reader.ReadAsync().AsTask().WaitAsync(Patience);
}
