using ClaimCheck.Consumer.Inbox;
using ClaimCheck.Testing;
using Npgsql;

namespace ClaimCheck.Consumer.Tests.Inbox;

/// <summary>Batches wait for the inbox's Postgres, and the log says what for.</summary>
public sealed class What_the_inbox_s_database_refuses
{
    [Fact]
    public async Task Each_failure_says_what_it_is_and_names_nobody()
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var way = await PostgresServer.NewSignedRoleAsync(database, "right");
        await RefusesAsync(new(way.ConnectionString) { Password = "wrong" }, "password authentication failed");
        await RefusesAsync(new(way.ConnectionString) { Password = null }, "asks for a password");
        await RefusesAsync(new(way.ConnectionString) { Database = "nothing_such" }, "no database of that name");
        await RefusesAsync(new(way.ConnectionString) { Port = 1 }, "refused the connection");
        await RefusesAsync(new(way.ConnectionString) { Host = "nothing.invalid" }, "has no address (DNS)");
        await RefusesAsync(new(way.ConnectionString) { SslMode = SslMode.Require }, "requires TLS");

        await Scene.SqlAsync(database, $"REVOKE ALL ON DATABASE \"{way.Database}\" FROM {way.Username}, PUBLIC; GRANT CONNECT ON "
            + $"DATABASE \"{way.Database}\" TO {way.Username}");
        await RefusesAsync(way, "permission denied");
        await Scene.SqlAsync(database, $"GRANT ALL ON DATABASE \"{way.Database}\" TO {way.Username}");
        await using var inbox = new InboxDatabase(new() { ConnectionString = way.ConnectionString });
        await (await inbox.OpenAsync(default)).DisposeAsync();
        await DoesNotAsync("SET LOCAL statement_timeout = 50; SELECT pg_sleep(10)", "a statement timeout");
        await DoesNotAsync("SET LOCAL transaction_read_only = on; CREATE TABLE t ()", "read-only");
        await DoesNotAsync("SET LOCAL idle_in_transaction_session_timeout = 20", "idle in a transaction", "SELECT 1");
        await DoesNotAsync("SELECT pg_terminate_backend(pg_backend_pid())", "an administrator ended it");
        await DoesNotAsync("SELECT FROM gone", "a table or view that is not there");

        async Task RefusesAsync(NpgsqlConnectionStringBuilder to, string text)
        {
            await using var refused = new InboxDatabase(new() { ConnectionString = to.ConnectionString });
            Check(await Assert.ThrowsAsync<InboxUnavailableException>(() => refused.OpenAsync(default)), text);
        }

        async Task DoesNotAsync(string sql, string text, string? later = null) => Check(
            await Assert.ThrowsAsync<InboxUnavailableException>(() => inbox.TransactAsync(
                async transaction =>
                {
#pragma warning disable CA2100 // The test's own text.
                    await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
                    await command.ExecuteNonQueryAsync();
                    if (later is not null)
                        await Eventually.TrueAsync(async () => await Scene.ScalarAsync<long>(
                            database, $"SELECT count(*) FROM pg_stat_activity WHERE usename = '{way.Username}'") == 0);
                    command.CommandText = later ?? "SELECT 1";
#pragma warning restore CA2100
                    return await command.ExecuteNonQueryAsync();
                },
                default)),
            text);

        void Check(InboxUnavailableException e, string text)
        {
            Assert.True(e.IsTransient);
            Assert.StartsWith("The inbox's Postgres can't be used now. ", e.Message, StringComparison.Ordinal);
            Assert.Contains(text, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(way.Username!, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Encryption_by_GSS_is_off_unless_it_is_asked_for()
    {
        await using var inbox = new InboxDatabase(new() { ConnectionString = await PostgresServer.NewDatabaseAsync() });
        await using var connection = await inbox.OpenAsync(default);
        Assert.Equal(GssEncryptionMode.Disable, new NpgsqlConnectionStringBuilder(connection.ConnectionString).GssEncryptionMode);
    }
}
