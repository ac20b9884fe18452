using System.Diagnostics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ClaimCheck.LocalPostgres;

/// <summary>
/// A private Postgres, started from the machine's own binaries over a data directory, reached through a socket in a private
/// folder, stopped with the service. One left behind by a service that was killed is taken over by the next.
/// </summary>
public sealed partial class PrivatePostgres : IAsyncDisposable
{
    private const string Superuser = "claimcheck";
    private const int Port = 5432; // only a part of the socket's name

    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(5); // recovery after a crash reads the log
    private static readonly TimeSpan Orphans = TimeSpan.FromSeconds(15);

    private readonly DataDirectoryLock instance;
    private readonly ServerDirectory directory;
    private readonly ServerBinaries binaries;
    private readonly ILogger logger;
    private string socketFolder = "";
    private string password = "";
    private bool isDisposed;

    private PrivatePostgres(DataDirectoryLock instance, ServerDirectory directory, ServerBinaries binaries, ILogger logger) =>
        (this.instance, this.directory, this.binaries, this.logger) = (instance, directory, binaries, logger);

    /// <summary>The folder that holds the data, the password and the logs.</summary>
    public string Home => directory.Home;

    /// <summary>Starts the server, or takes over the one that a killed service left.</summary>
    /// <param name="dataDirectory">It is created where it is missing. Who else may enter it is the caller's choice, but as root
    /// the caller must let Postgres' user pass through.</param>
    /// <param name="logger">Logs starts, takeovers and stops.</param>
    /// <param name="cancellationToken">Gives the start up; what was started is stopped again.</param>
    /// <exception cref="LocalPostgresException">It can't be started; the text says what to do.</exception>
    public static Task<PrivatePostgres> StartAsync(string dataDirectory, ILogger logger, CancellationToken cancellationToken) =>
        StartAsync(dataDirectory, ServerBinaries.SearchList(), logger, cancellationToken);

    /// <summary>The same, with the folders to look for Postgres' binaries in.</summary>
    internal static async Task<PrivatePostgres> StartAsync(
        string dataDirectory, IReadOnlyList<string> searchList, ILogger logger, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
            throw new LocalPostgresException(
                "The embedded PostgreSQL needs Linux or macOS: on Windows set ConnectionStrings:Catalog.");

        dataDirectory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataDirectory));
        var held = DataDirectoryLock.Take(dataDirectory);
        PrivatePostgres? postgres = null;
        try
        {
            var home = await ServerDirectory.OpenAsync(dataDirectory, cancellationToken);
            var found = await ServerBinaries.FindAsync(searchList, home.Account, home.Existing, cancellationToken);
            postgres = new PrivatePostgres(held, home, found, logger);
            await postgres.StartAsync(cancellationToken);
            return postgres;
        }
        catch
        {
            if (postgres is not null)
                await postgres.DisposeAsync();
            else
                held.Dispose();
            throw;
        }
    }

    /// <summary>The connection string of one of its databases. It contains the password: keep it out of logs.</summary>
    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = socketFolder,
        Port = Port,
        Username = Superuser,
        Password = password,
        Database = database,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;

    /// <summary>Creates a database unless it exists. Safe to call from several places at once.</summary>
    public async Task EnsureDatabaseAsync(string database, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(cancellationToken);
        await using var exists = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = $1", connection)
        {
            Parameters = { new NpgsqlParameter { Value = database } },
        };
        if (await exists.ExecuteScalarAsync(cancellationToken) is not null)
            return;

        var name = database.Replace("\"", "\"\"", StringComparison.Ordinal);
#pragma warning disable CA2100 // CREATE DATABASE takes no parameters; the name is quoted above.
        await using var create = new NpgsqlCommand($"CREATE DATABASE \"{name}\" TEMPLATE template0", connection);
#pragma warning restore CA2100
        try
        {
            await create.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another caller was faster.
        }
    }

    /// <summary>Stops the server: sessions are cut, data are safe. A server that does not stop in time recovers at
    /// its next start.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        try
        {
            await StopAsync();
            directory.RemoveSocketFolder();
        }
        finally
        {
            instance.Dispose();
        }
    }

    [UnsupportedOSPlatform("windows")]
    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        if (directory.Existing is null)
            await InitialiseAsync(cancellationToken);
        password = (await File.ReadAllTextAsync(directory.PasswordFile, cancellationToken)).Trim();
        if (await AdoptAsync(cancellationToken))
            return;

        socketFolder = await directory.SocketFolderAsync(cancellationToken);
        await directory.WriteAsync(
            Path.Combine(directory.Data, "postgresql.conf"), ServerConfiguration.Render(socketFolder), cancellationToken);
        File.Delete(directory.StartLog);
        while (true)
        {
            var started = await PgCtlAsync(
                ["start", "--wait", "--timeout", Seconds(StartPatience), "--silent", "--log",
                    Path.GetFileName(directory.StartLog)],
                cancellationToken);
            if (started.Succeeded)
                break;

            // After the postmaster alone was killed, its children need a moment to notice.
            var said = File.Exists(directory.StartLog) ? await File.ReadAllTextAsync(directory.StartLog, cancellationToken) : "";
            if (said.Contains("pre-existing shared memory", StringComparison.Ordinal) && watch.Elapsed < Orphans)
            {
                File.Delete(directory.StartLog);
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
                continue;
            }

            var reason = new CommandOutcome(started.ExitCode, said, started.Errors).Reason;
            throw new LocalPostgresException($"PostgreSQL {binaries.Major} does not start over {directory.Data}: {reason}");
        }

        Log.Started(logger, binaries.Major, directory.Data, watch.ElapsedMilliseconds);
    }

    [UnsupportedOSPlatform("windows")]
    private async Task InitialiseAsync(CancellationToken cancellationToken)
    {
        var unfinished = directory.Data + ".new";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        await directory.WriteAsync(
            directory.PasswordFile, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)) + "\n", cancellationToken);

        CommandOutcome made = new(0, "", "");
        foreach (var locale in (string[])["C.UTF-8", "C"])
        {
            made = await directory.Account.RunAsync(
                [
                    binaries.Initdb, "--username", Superuser, "--pwfile", directory.PasswordFile, "--auth", "scram-sha-256",
                    "--encoding", "UTF8", "--locale", locale,
                ],
                unfinished,
                cancellationToken);
            if (made.Succeeded)
            {
                Directory.Move(unfinished, directory.Data);
                return;
            }
        }

        throw new LocalPostgresException(
            $"PostgreSQL {binaries.Major} can't make its database in {directory.Home}: {made.Reason}");
    }

    /// <returns>True where the server of a killed service still runs over these data, and answers.</returns>
    private async Task<bool> AdoptAsync(CancellationToken cancellationToken)
    {
        if (Postmaster.Read(directory.Data) is not { } found)
            return false;
        if (!await found.ServesAsync(directory.Data, cancellationToken))
        {
            // Postgres itself removes the file of a dead process, with more checks than these, but won't start where the
            // pid has been given to somebody else since.
            if (await found.IsTakenAsync(cancellationToken))
                File.Delete(Postmaster.FileOf(directory.Data));
            return false;
        }

        socketFolder = found.SocketFolder;
        try
        {
            await using var connection = await ConnectAsync(cancellationToken);
            Log.Adopted(logger, found.Pid, directory.Data);
            return true;
        }
        catch (NpgsqlException)
        {
            // It is starting, stopping or broken: a new one is better.
            Log.Replaced(logger, found.Pid, directory.Data);
            await StopAsync();
            return false;
        }
    }

    private async Task StopAsync()
    {
        // On tokens of its own: when a service stops or a start is given up, all others are cancelled.
        if (Postmaster.Read(directory.Data) is not { } running
            || !await running.ServesAsync(directory.Data, CancellationToken.None))
        {
            return;
        }

        var stopped = await PgCtlAsync(
            ["stop", "--mode", "fast", "--wait", "--timeout", "20", "--silent"], CancellationToken.None);
        if (!stopped.Succeeded && await running.ServesAsync(directory.Data, CancellationToken.None))
        {
            Log.Slow(logger, running.Pid);
            await PgCtlAsync(["stop", "--mode", "immediate", "--wait", "--timeout", "10", "--silent"], CancellationToken.None);
        }

        Log.Stopped(logger, directory.Data);
    }

    /// <summary>
    /// Runs pg_ctl, which gives the server a session of its own: the service alone handles a terminal's Ctrl-C.
    /// </summary>
    private Task<CommandOutcome> PgCtlAsync(string[] arguments, CancellationToken cancellationToken) =>
        directory.Account.RunAsync([binaries.PgCtl, .. arguments], directory.Data, cancellationToken);

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var way = new NpgsqlConnectionStringBuilder(ConnectionString("postgres")) { Pooling = false, Timeout = 5 };
        var connection = new NpgsqlConnection(way.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static string Seconds(TimeSpan time) => ((int)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "PostgreSQL {Major} runs over {Data}, after {Milliseconds} ms.")]
        public static partial void Started(ILogger logger, int major, string data, long milliseconds);

        [LoggerMessage(LogLevel.Information,
            "PostgreSQL (process {Pid}) still ran over {Data} and is taken over: the service before this one was killed.")]
        public static partial void Adopted(ILogger logger, int pid, string data);

        [LoggerMessage(LogLevel.Warning,
            "PostgreSQL (process {Pid}) still ran over {Data} but does not answer: it is stopped and started again.")]
        public static partial void Replaced(ILogger logger, int pid, string data);

        [LoggerMessage(LogLevel.Warning,
            "PostgreSQL (process {Pid}) did not stop within 20 seconds: it is cut off, and recovers at its next start.")]
        public static partial void Slow(ILogger logger, int pid);

        [LoggerMessage(LogLevel.Information, "PostgreSQL over {Data} is stopped.")]
        public static partial void Stopped(ILogger logger, string data);
    }
}
