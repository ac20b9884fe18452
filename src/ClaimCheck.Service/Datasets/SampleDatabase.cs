using System.Net.Sockets;
using ClaimCheck.LocalPostgres;
using ClaimCheck.Records.Disk;

namespace ClaimCheck.Service.Datasets;

/// <summary>The database behind the shipped datasets, on the catalog's server: <c>ClaimCheck:Sample:Orders</c> orders
/// (1,000,000), the same ones each time. It is created only where nothing else is configured. Services that share a server and
/// need different numbers use different names: <c>ClaimCheck:Sample:Database</c>.</summary>
internal sealed partial class SampleDatabase(
    DatasetFolder folder, IConfiguration configuration, SourceDatabases sources, ILogger<SampleDatabase> logger)
{
    /// <summary>The source that the shipped datasets name.</summary>
    public const string Source = "sample";

    // Its roles in the embedded Postgres: one reads it as the source of the shipped datasets; one owns it as the target of the
    // shipped operations.
    private const string Reader = "claimcheck_sample_reader";
    private const string Writer = "claimcheck_sample_writer";

    private const long MostOrders = 100_000_000;

    /// <summary>Creates the database if it is wanted and missing, and registers it as a source. Replicas may run this at the same
    /// time.</summary>
    /// <param name="catalog">A connection string to the catalog, on the server that the sample goes to.</param>
    /// <param name="embedded">That server, where it is the embedded one.</param>
    /// <param name="cancellationToken">Stops the start; a half-made table is rolled back.</param>
    /// <exception cref="StartupException">The number of orders or the name is invalid.</exception>
    public async Task EnsureAsync(string catalog, PrivatePostgres? embedded, CancellationToken cancellationToken)
    {
        if (!folder.IsShipped || sources.IsKnown(Source))
            return;
        var (name, orders) = (WantedName(), WantedOrders());
        string reader, writer;
        try
        {
            (reader, writer) = await PrepareAsync(catalog, embedded, name, cancellationToken);
            // Connections of its own, closed afterwards: sources are read through a pool of their own.
            var making = new NpgsqlConnectionStringBuilder(writer) { Pooling = false, CommandTimeout = 0 };
            await using var connection = new NpgsqlConnection(making.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            if (await CreateOrdersAsync(connection, orders, cancellationToken))
            {
                // Not only for the planner: without it the first export would write hint bits to every page.
                await connection.ExecuteAsync("VACUUM (FREEZE, ANALYZE) orders", null, cancellationToken);
                Log.Made(logger, orders, name);
            }
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or IOException or TimeoutException)
        {
            Log.NotMade(logger, name, (e as PostgresException)?.MessageText ?? e.Message);
            return;
        }

        sources.Register(Source, reader, writer);
        Share(writer);
    }

    // In the embedded Postgres with one role to read and one to write; beside a catalog elsewhere with the catalog's own role.
    private static async Task<(string Reader, string Writer)> PrepareAsync(
        string catalog, PrivatePostgres? embedded, string name, CancellationToken cancellationToken)
    {
        if (embedded is null)
        {
            await CreateDatabaseAsync(catalog, name, cancellationToken);
            var sample = new NpgsqlConnectionStringBuilder(catalog) { Database = name, SearchPath = null }.ConnectionString;
            return (sample, sample);
        }

        await CreateDatabaseAsync(embedded.ConnectionString("postgres"), name, cancellationToken);
        await ServerRoles.PrepareAsync(embedded, name, Writer, Reader, cancellationToken);
        return (ServerRoles.ConnectionString(embedded, name, Reader), ServerRoles.ConnectionString(embedded, name, Writer));
    }

    private string WantedName()
    {
        var setting = configuration["ClaimCheck:Sample:Database"];
        if (string.IsNullOrEmpty(setting))
            return "claimcheck_sample";
        return PlainName().IsMatch(setting)
            ? setting
            : throw new StartupException(
                $"ClaimCheck:Sample:Database is {setting}, but must be a name of lower-case "
                + "letters, digits and '_', 63 at most.");
    }

    // For tools that look at the sample beside the service, as the demo does: readable by the same user only.
    private void Share(string connectionString)
    {
        var directory = DataDirectory.Of(configuration);
        Directory.CreateDirectory(directory);
        // Replicas with one directory may start at the same time.
        Durable.ReplacePrivate(
            Path.Combine(directory, "sample-connection"), System.Text.Encoding.UTF8.GetBytes(connectionString + "\n"));
    }

    private long WantedOrders()
    {
        var setting = configuration["ClaimCheck:Sample:Orders"];
        if (string.IsNullOrEmpty(setting))
            return 1_000_000;
        return long.TryParse(setting, NumberStyles.None, CultureInfo.InvariantCulture, out var orders) && orders <= MostOrders
            ? orders
            : throw new StartupException(
                $"ClaimCheck:Sample:Orders is {setting}, but must be a number of orders from 0 to {MostOrders}.");
    }

    private static async Task CreateDatabaseAsync(string catalog, string name, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(catalog) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        // CREATE DATABASE runs outside a transaction; the lock is released with the session.
        await connection.ExecuteAsync("SELECT pg_advisory_lock(@Sample)", new { AdvisoryLocks.Sample }, cancellationToken);
        var exists = await connection.ExecuteScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = @name)", new { name }, cancellationToken);
        if (!exists)
            // From template0, to which nobody can be connected: another session in the template would be an error here.
            await connection.ExecuteAsync(new CommandDefinition(
                $"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'",
                commandTimeout: 60,
                cancellationToken: cancellationToken));
    }

    /// <returns>False where as many orders as wanted are there already.</returns>
    private static async Task<bool> CreateOrdersAsync(
        NpgsqlConnection connection, long orders, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync("SELECT pg_advisory_xact_lock(@Sample)", new { AdvisoryLocks.Sample }, cancellationToken);
        var made = await connection.ExecuteScalarAsync<string?>(
            "SELECT obj_description(to_regclass('public.orders'), 'pg_class')", null, cancellationToken);
        if (made == SampleOrders.Recipe(orders))
            return false;
        await connection.ExecuteAsync(SampleOrders.Script(orders), null, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlainName();

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The sample database {Name} is created, with {Orders} orders.")]
        public static partial void Made(ILogger logger, long orders, string name);

        [LoggerMessage(LogLevel.Warning,
            "The sample database {Name} can't be created, and the shipped datasets are unavailable ({Reason}): set "
            + "ConnectionStrings:sample to a database with a table of orders, or ClaimCheck:Datasets to a folder of your own.")]
        public static partial void NotMade(ILogger logger, string name, string reason);
    }
}
