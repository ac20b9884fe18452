using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.LocalPostgres.Tests;

/// <summary>Real servers, each over a folder of its own.</summary>
public sealed class A_private_postgres : IDisposable
{
    private readonly string root = ServerFolders.Make();

    [Fact]
    public async Task What_was_written_is_there_after_a_restart()
    {
        await using (var first = await StartAsync(root))
        {
            await first.EnsureDatabaseAsync("catalog", CancellationToken.None);
            await first.EnsureDatabaseAsync("catalog", CancellationToken.None);
            await ExecuteAsync(first, "CREATE TABLE kept AS SELECT 42 AS answer");
        }

        await using var second = await StartAsync(root);
        Assert.Equal(42, await ExecuteAsync(second, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task It_is_durable_speaks_UTF8_and_listens_on_no_network()
    {
        await using var postgres = await StartAsync(root);
        await postgres.EnsureDatabaseAsync("catalog", CancellationToken.None);

        Assert.Equal("on", await ExecuteAsync(postgres, "SHOW fsync"));
        Assert.Equal("on", await ExecuteAsync(postgres, "SHOW full_page_writes"));
        Assert.Equal("UTF8", await ExecuteAsync(postgres, "SHOW server_encoding"));
        Assert.Equal("", await ExecuteAsync(postgres, "SHOW listen_addresses"));
    }

    [Fact]
    public async Task The_socket_wants_the_password()
    {
        await using var postgres = await StartAsync(root);
        var stranger =
            new NpgsqlConnectionStringBuilder(postgres.ConnectionString("postgres")) { Password = "guess", Pooling = false };

        await using var connection = new NpgsqlConnection(stranger.ConnectionString);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync());
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
    }

    [Fact]
    public async Task Many_callers_may_ensure_the_same_database_at_once()
    {
        await using var postgres = await StartAsync(root);
        await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => postgres.EnsureDatabaseAsync("odd \"name\"", CancellationToken.None)));

        await using var connection = new NpgsqlConnection(postgres.ConnectionString("odd \"name\"") + ";Pooling=false");
        await connection.OpenAsync();
    }

    [Fact]
    public async Task A_second_service_over_the_same_folder_is_told_who_holds_it()
    {
        await using var first = await StartAsync(root);

        var refused = await Assert.ThrowsAsync<LocalPostgresException>(() => StartAsync(root));
        Assert.Contains(root, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task The_server_of_a_killed_service_is_taken_over_and_stopped_in_the_end()
    {
        using var killed = await OwnerProcess.StartAsync(root, user: null);
        var pid = Running(root)!.Pid;
        Assert.True(Lives(pid));
        await killed.KillAsync();
        Assert.True(Lives(pid));

        await using (var next = await StartAsync(root))
        {
            Assert.Equal(pid, Running(root)!.Pid);
            await next.EnsureDatabaseAsync("catalog", CancellationToken.None);
            Assert.Equal(1, await ExecuteAsync(next, "SELECT 1"));
        }

        Assert.False(Lives(pid));
        Assert.Null(Running(root));
    }

    [Fact]
    public async Task The_server_does_not_share_the_terminals_process_group()
    {
        await using var postgres = await StartAsync(root);
        Assert.NotEqual(Session(Environment.ProcessId), Session(Running(root)!.Pid));
    }

    [Fact]
    public async Task A_pid_file_that_names_a_stranger_is_stale()
    {
        await using (await StartAsync(root))
        {
            File.Copy(Postmaster.FileOf(Data(root)), Path.Combine(root, "kept.pid"));
        }

        // As after a crash and a reboot: the file is back, and its pid is now somebody else's: this very process'.
        var lines = await File.ReadAllLinesAsync(Path.Combine(root, "kept.pid"));
        lines[0] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllLinesAsync(Postmaster.FileOf(Data(root)), lines);

        await using var next = await StartAsync(root);
        Assert.NotEqual(Environment.ProcessId, Running(root)!.Pid);
    }

    [Fact]
    public async Task A_pid_file_of_a_dead_server_is_stale_and_its_data_recover()
    {
        var killed = await StartAsync(root);
        await killed.EnsureDatabaseAsync("catalog", CancellationToken.None);
        await ExecuteAsync(killed, "CREATE TABLE kept AS SELECT 42 AS answer");
        using (var postmaster = Process.GetProcessById(Running(root)!.Pid))
        {
            postmaster.Kill();
            await postmaster.WaitForExitAsync();
        }

        await killed.DisposeAsync();
        Assert.NotNull(Running(root));

        await using var next = await StartAsync(root);
        Assert.Equal(42, await ExecuteAsync(next, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_machine_without_Postgres_says_what_to_install()
    {
        var refused = await Assert.ThrowsAsync<LocalPostgresException>(() =>
            PrivatePostgres.StartAsync(root, [], NullLogger.Instance, CancellationToken.None));
        Assert.Contains("apt-get install postgresql", refused.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings:Catalog", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);

        await using var afterwards = await StartAsync(root); // the lock was given back
    }

    [Fact]
    public async Task Data_of_another_version_are_left_alone()
    {
        string version;
        await using (await StartAsync(root))
        {
            version = await File.ReadAllTextAsync(Path.Combine(Data(root), "PG_VERSION"));
        }

        await File.WriteAllTextAsync(Path.Combine(Data(root), "PG_VERSION"), "9\n");
        var refused = await Assert.ThrowsAsync<LocalPostgresException>(() => StartAsync(root));
        Assert.Contains("made by PostgreSQL 9, but this machine has", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);

        await File.WriteAllTextAsync(Path.Combine(Data(root), "PG_VERSION"), version);
        await using var again = await StartAsync(root);
    }

    [Theory]
    [InlineData("a folder, with a name that 'is' \"odd\" $HOME")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task Any_path_will_do(string name)
    {
        var data = Path.Combine(root, name);
        await using (var postgres = await StartAsync(data))
        {
            await postgres.EnsureDatabaseAsync("catalog", CancellationToken.None);
            Assert.Equal(1, await ExecuteAsync(postgres, "SELECT 1"));
        }

        await using var again = await StartAsync(data);
    }

    [Fact]
    public async Task A_start_that_is_given_up_leaves_nothing_behind()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(150));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            PrivatePostgres.StartAsync(root, NullLogger.Instance, soon.Token));

        Assert.False(Running(root) is { } left && Lives(left.Pid));
        await using var postgres = await StartAsync(root);
    }

    [Fact]
    public async Task An_ordinary_user_runs_it_as_well()
    {
        var user = Environment.IsPrivilegedProcess ? "nobody" : null;
        var data = Path.Combine(root, "ordinary");
        ServerFolders.OpenToAll(root);
        using var service = await OwnerProcess.StartAsync(data, user);

        Assert.True(Lives(Running(data)!.Pid));
        var pid = Running(data)!.Pid;
        await service.StopAsync();
        Assert.False(Lives(pid));
    }

    [Fact]
    public async Task Where_the_unprivileged_user_cant_enter_the_data_lie_elsewhere_and_the_folder_says_where()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            // Only root lends its folders to another user; as an ordinary user a closed folder is one's own.
            ServerFolders.Close(root);
            await using var own = await StartAsync(root);
            Assert.StartsWith(root, own.Home, StringComparison.Ordinal);
            return;
        }

        ServerFolders.Close(root);
        string home;
        await using (var first = await StartAsync(root))
        {
            home = first.Home;
            Assert.StartsWith("/var/tmp/claimcheck-", home, StringComparison.Ordinal);
            Assert.Equal(home, (await File.ReadAllTextAsync(Path.Combine(root, "postgres.location"))).Trim());
            await first.EnsureDatabaseAsync("catalog", CancellationToken.None);
            await ExecuteAsync(first, "CREATE TABLE kept AS SELECT 42 AS answer");
        }

        await using (var second = await StartAsync(root))
        {
            Assert.Equal(42, await ExecuteAsync(second, "SELECT answer FROM kept"));
        }

        // The data directory was deleted and made anew: so is the database.
        File.Delete(Path.Combine(root, "postgres.location"));
        await using (var third = await StartAsync(root))
        {
            await third.EnsureDatabaseAsync("catalog", CancellationToken.None);
            Assert.Equal(0L, await ExecuteAsync(third, "SELECT count(*) FROM pg_class WHERE relname = 'kept'"));
        }

        Directory.Delete(home, recursive: true);
        Directory.CreateDirectory(home); // a stranger's, here root's
        try
        {
            var refused = await Assert.ThrowsAsync<LocalPostgresException>(() => StartAsync(root));
            Assert.Contains("is not a private folder", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(home);
        }
    }

    public void Dispose()
    {
        NpgsqlConnection.ClearAllPools();
        Directory.Delete(root, recursive: true);
    }

    private static Task<PrivatePostgres> StartAsync(string data) =>
        PrivatePostgres.StartAsync(data, NullLogger.Instance, CancellationToken.None);

    private static string Data(string dataDirectory) => Path.Combine(dataDirectory, "postgres", "data");

    private static Postmaster? Running(string dataDirectory) => Postmaster.Read(Data(dataDirectory));

    private static bool Lives(int pid) =>
        File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static string Session(int pid) =>
        File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];

    private static async Task<object?> ExecuteAsync(PrivatePostgres postgres, string sql)
    {
        await using var connection = new NpgsqlConnection(postgres.ConnectionString("catalog") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }
}
