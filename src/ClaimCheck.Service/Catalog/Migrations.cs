using System.Reflection;

namespace ClaimCheck.Service.Catalog;

/// <summary>Brings the catalog to this program's schema: numbered scripts, each applied once, in one transaction, under an
/// advisory lock, so that any number of replicas may start at once.</summary>
internal static partial class Migrations
{
    private const int MostTries = 5;

    /// <summary>Applies the migrations that the catalog lacks. Processes of the previous version may run at the same time: after
    /// a deadlock with them it is tried again.</summary>
    public static async Task ApplyAsync(NpgsqlDataSource catalog, ILogger logger, CancellationToken cancellationToken)
    {
        for (var tried = 1; ; tried++)
        {
            try
            {
                await ApplyOnceAsync(catalog, logger, cancellationToken);
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected && tried < MostTries)
            {
                Log.Deadlock(logger);
            }
        }
    }

    private static async Task ApplyOnceAsync(NpgsqlDataSource catalog, ILogger logger, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(new CommandDefinition(
            "SELECT pg_advisory_xact_lock(@Migrations)",
            new { AdvisoryLocks.Migrations },
            transaction,
            commandTimeout: 0,
            cancellationToken: cancellationToken));
        await connection.ExecuteAsync(
            """
            CREATE TABLE IF NOT EXISTS schema_versions (
                version    integer     PRIMARY KEY,
                name       text        NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """,
            null,
            cancellationToken);
        var applied = (await connection.ListAsync<int>(
            "SELECT version FROM schema_versions", null, cancellationToken)).ToHashSet();

        var scripts = Scripts();
        if (applied.Count > 0 && applied.Max() > scripts[^1].Version)
        {
            throw new StartupException(
                $"The catalog's schema is version {applied.Max()}, but this program knows {scripts[^1].Version}: " +
                "a newer ClaimCheck has upgraded it. Start that one.");
        }

        foreach (var (version, name, resource) in scripts.Where(script => !applied.Contains(script.Version)))
        {
            using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!);
            var sql = await reader.ReadToEndAsync(cancellationToken);
            await connection.ExecuteAsync(new CommandDefinition(
                sql, transaction: transaction, commandTimeout: 0, cancellationToken: cancellationToken));
            await connection.ExecuteAsync(
                "INSERT INTO schema_versions (version, name) VALUES (@version, @name)", new { version, name }, cancellationToken);
            Log.Applied(logger, version, name);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    // Resources are named ClaimCheck.Service.Catalog.Migrations.0001_exports.sql.
    private static List<(int Version, string Name, string Resource)> Scripts() =>
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(resource => resource.EndsWith(".sql", StringComparison.Ordinal)
                && resource.Contains(".Migrations.", StringComparison.Ordinal))
            .Select(resource => (File: resource.Split('.')[^2], Resource: resource))
            .Select(script => (int.Parse(script.File[..4]), script.File[5..], script.Resource))
            .Order(),
    ];

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Migration {Version}, {Name}, is applied to the catalog.")]
        public static partial void Applied(ILogger logger, int version, string name);

        [LoggerMessage(LogLevel.Warning, "The catalog's migration hit a deadlock with another process; it is tried again.")]
        public static partial void Deadlock(ILogger logger);
    }
}
