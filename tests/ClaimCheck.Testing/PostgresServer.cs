using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace ClaimCheck.Testing;

/// <summary>
/// A Postgres of this test process's own, without fsync, and gone with the process, however that ends: in a container where
/// Docker runs, else made from the machine's binaries at first use, on loopback. <c>CLAIMCHECK_TEST_POSTGRES</c>, a connection
/// string to an administrator's database, names another server to make the databases on.
/// </summary>
internal sealed class PostgresServer
{
    private static readonly Lazy<Task<PostgresServer>> Shared = new(StartAsync);
    private readonly ConcurrentBag<string> databases = [];
    private readonly string admin;

    private PostgresServer(string admin) => this.admin = admin;

    /// <summary>Members of this role need their password; others are trusted.</summary>
    public const string Signing = "claimcheck_signing";

    /// <summary>The connection string of a fresh, empty database with a name of its own.</summary>
    public static async Task<string> NewDatabaseAsync(string encoding = "UTF8")
    {
        var server = await Shared.Value;
        var name = $"test_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection(server.admin);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'";
        await command.ExecuteNonQueryAsync();
        server.databases.Add(name);
        return new NpgsqlConnectionStringBuilder(server.admin) { Database = name, Pooling = true }.ConnectionString;
    }

    /// <summary>A new role that needs its password, and the way to a database as it.</summary>
    public static async Task<NpgsqlConnectionStringBuilder> NewSignedRoleAsync(string database, string password)
    {
        var way = new NpgsqlConnectionStringBuilder(database) { Username = $"signed_{Guid.NewGuid():N}", Password = password };
        await Scene.SqlAsync(
            database,
            $"CREATE ROLE {way.Username} LOGIN PASSWORD '{password}' IN ROLE {Signing}; GRANT ALL ON DATABASE \"{way.Database}\" "
            + $"TO {way.Username}; GRANT ALL ON SCHEMA public TO {way.Username}; GRANT ALL ON ALL TABLES IN SCHEMA "
            + $"public TO {way.Username}");
        return way;
    }

    private static async Task<PostgresServer> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("CLAIMCHECK_TEST_POSTGRES") is { Length: > 0 } configured)
        {
            var borrowed = new PostgresServer(new NpgsqlConnectionStringBuilder(configured) { Pooling = false }.ConnectionString);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => borrowed.DropDatabases();
            return borrowed;
        }

        if (await Containers.PostgresAsync() is { } contained)
            return new PostgresServer(new NpgsqlConnectionStringBuilder(contained) { Pooling = false }.ConnectionString);

        // A free port may be taken by someone else before Postgres binds it.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartOwnAsync(FreePort());
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
            }
        }
    }

    private static async Task<PostgresServer> StartOwnAsync(int port)
    {
        // The shell waits for the end of its input, which is the end of this process; whatever ended it, Postgres goes too.
        const string script = """
            set -eu
            trap '' INT TERM HUP
            "$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$2/log" 2>&1
            { echo "host all +$4 127.0.0.1/32 scram-sha-256"; cat "$2/data/pg_hba.conf"; } >"$2/hba" && mv "$2/hba" "$2/data/pg_hba.conf"
            "$1/postgres" -D "$2/data" -p "$3" -k "$2" -c listen_addresses=127.0.0.1 -c max_connections=1000 \
                -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=64MB \
                </dev/null >>"$2/log" 2>&1 &
            postgres=$!
            cat >/dev/null
            kill -INT $postgres || true
            wait $postgres || true
            rm -rf "$2"
            """;
        var (guard, directory) = await GuardAsync(script, $"{port}", Signing);
        var address = Address(port);
        await WaitAsync(address, guard, Path.Combine(directory, "log"));
        // Another project's server may have been faster at this port, and answers as if it were this one.
        if (await Scene.ScalarAsync<string>(address, "SHOW data_directory") != Path.Combine(directory, "data"))
            throw new InvalidOperationException($"Port {port} belongs to another Postgres.");
        await Scene.SqlAsync(address, $"CREATE ROLE {Signing}");
        return new PostgresServer(address);
    }

    public static string Address(int port) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = port,
        Username = "postgres",
        Database = "postgres",
        Pooling = false,
    }.ConnectionString;

    /// <summary>Runs a script that starts servers and stops them at the end of its input: <c>$1</c> the binaries, <c>$2</c> a
    /// folder of its own.</summary>
    public static async Task<(Process Guard, string Directory)> GuardAsync(string script, params string[] more)
    {
        var directory = Directory.CreateTempSubdirectory("claimcheck-pg-").FullName;
        var start = new ProcessStartInfo
        {
            FileName = "sh",
            UseShellExecute = false,
            RedirectStandardInput = true,
            WorkingDirectory = "/",
        };
        if (Environment.IsPrivilegedProcess)
        {
            // Postgres refuses to run as root.
            var user = (await File.ReadAllLinesAsync("/etc/passwd")).Any(
                line => line.StartsWith("postgres:", StringComparison.Ordinal))
                ? "postgres"
                : "nobody";
            using var chown = Process.Start("chown", [user, directory]);
            await chown.WaitForExitAsync();
            start.FileName = "setpriv";
            foreach (var argument in new[] { "--reuid", user, "--clear-groups", "sh" })
                start.ArgumentList.Add(argument);
        }

        foreach (var argument in (string[])["-c", script, "sh", Binaries(), directory, .. more])
            start.ArgumentList.Add(argument);
        var guard = Process.Start(start) ?? throw new InvalidOperationException("No shell could be started.");
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            guard.StandardInput.Close();
            guard.WaitForExit(TimeSpan.FromSeconds(10));
        };
        return (guard, directory);
    }

    /// <summary>Waits until a server takes connections.</summary>
    public static async Task WaitAsync(string address, Process guard, string log)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(address);
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (since.Elapsed < TimeSpan.FromMinutes(3) && !guard.HasExited)
            {
                await Task.Delay(20);
            }
            catch (NpgsqlException e)
            {
                var said = File.Exists(log) ? await File.ReadAllTextAsync(log) : "nothing";
                throw new InvalidOperationException($"The Postgres for tests did not start. It said: {said}", e);
            }
        }
    }

    private static string Binaries()
    {
        var places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .AsEnumerable();
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            places = places.Concat(Directory.GetDirectories("/usr/lib/postgresql")
                .OrderByDescending(path => int.TryParse(Path.GetFileName(path), out var version) ? version : 0)
                .Select(path => Path.Combine(path, "bin")));
        }

        return places.FirstOrDefault(
            path => File.Exists(Path.Combine(path, "initdb")) && File.Exists(Path.Combine(path, "postgres")))
            ?? throw new PlatformNotSupportedException(
                "No Postgres binaries on this machine: install PostgreSQL 15 or later, or set CLAIMCHECK_TEST_POSTGRES.");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void DropDatabases()
    {
        using var connection = new NpgsqlConnection(admin);
        connection.Open();
        foreach (var name in databases)
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"DROP DATABASE IF EXISTS {name} WITH (FORCE)";
            command.ExecuteNonQuery();
        }
    }
}
