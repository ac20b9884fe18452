using System.Data;
using ClaimCheck.LocalPostgres;
using Microsoft.Extensions.Primitives;

namespace ClaimCheck.Service.Catalog;

/// <summary>The service's own Postgres: <c>ConnectionStrings:Catalog</c>, or the embedded one where that is not set.</summary>
internal sealed partial class CatalogDatabase(IConfiguration configuration, ILogger<CatalogDatabase> logger) : IAsyncDisposable
{
    // The embedded database's name, and the role that owns it.
    private const string Embedded = "claimcheck";
    private const string Owner = "claimcheck_catalog";

    private PrivatePostgres? embedded;
    private NpgsqlDataSource? dataSource;
    private IDisposable? changes;

    /// <summary>The pool. Available once start-up has opened the catalog.</summary>
    public NpgsqlDataSource DataSource => dataSource ?? throw new InvalidOperationException("The catalog is not open yet.");

    /// <summary>The connection string. It contains a password: keep it out of logs.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>The private Postgres that the service started, or null.</summary>
    public PrivatePostgres? Server => embedded;

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var connectionString = configuration.GetConnectionString("Catalog");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            embedded = await StartEmbeddedAsync(cancellationToken);
            await ServerRoles.PrepareAsync(embedded, Embedded, Owner, reader: null, cancellationToken);
            connectionString = ServerRoles.ConnectionString(embedded, Embedded, Owner);
        }

        var builder = new NpgsqlDataSourceBuilder(Read(connectionString).ConnectionString);
        builder.ConnectionStringBuilder.ApplicationName ??= "claimcheck";
        // After a restart of the catalog, dead connections must not be used for long.
        if (builder.ConnectionStringBuilder.KeepAlive == 0)
            builder.ConnectionStringBuilder.KeepAlive = 10;
        UsePasswords(builder);
        dataSource = builder.Build();
        if (embedded is null)
            await CatalogSession.CheckAsync(dataSource, cancellationToken);
    }

    private async Task<PrivatePostgres> StartEmbeddedAsync(CancellationToken cancellationToken)
    {
        var directory = DataDirectory.Of(configuration);
        try
        {
            // Where root starts the service, the user that runs Postgres passes through to its own folder below.
            PrivateFiles.Close(directory, isPassage: Environment.IsPrivilegedProcess);
            return await PrivatePostgres.StartAsync(directory, logger, cancellationToken);
        }
        catch (LocalPostgresException e)
        {
            throw new StartupException(e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The data directory {directory} can't be used ({e.Message}): set ClaimCheck:DataDirectory to another folder.",
                e);
        }
    }

    // One pool for the lifetime of the process; its password is looked up for each new connection, since it may have been
    // replaced.
    private void UsePasswords(NpgsqlDataSourceBuilder builder)
    {
        var way = builder.ConnectionStringBuilder;
        var file = embedded is null ? PasswordFileOf() : null;
        try
        {
            if (file is not null)
                way.Password = file.Next();
        }
        catch (PasswordFileException e)
        {
            throw new StartupException(CatalogErrors.Explain(e), e);
        }

        ConnectionString = builder.ConnectionString;
        if (file is not null)
        {
            file.Use(builder);
        }
        else if (embedded is null && way.Password is { Length: > 0 } first)
        {
            (way.Password, way.Passfile) = (null, null);
            builder.UsePasswordProvider(
                _ => Configured(way.Username, first), (_, _) => ValueTask.FromResult(Configured(way.Username, first)));
            changes = ChangeToken.OnChange(configuration.GetReloadToken, () => NoteChange(ConnectionString));
        }
    }

    private PasswordFile? PasswordFileOf()
    {
        try
        {
            return PasswordOptions.Of(configuration, "ClaimCheck:Catalog")?.Open(TimeProvider.System);
        }
        catch (FormatException e)
        {
            throw new StartupException(e.Message, e);
        }
    }

    // Another user's password would not help here.
    private string Configured(string? user, string first)
    {
        try
        {
            var now = new NpgsqlConnectionStringBuilder(configuration.GetConnectionString("Catalog"));
            return now.Username == user && now.Password is { Length: > 0 } password ? password : first;
        }
        catch (ArgumentException)
        {
            return first; // logged when it changed
        }
    }

    // The catalog is one database for all processes: a process must not switch to another one while it runs.
    private void NoteChange(string atStart)
    {
        try
        {
            var now = Read(configuration.GetConnectionString("Catalog") ?? "");
            var (before, changed) = (new NpgsqlConnectionStringBuilder(atStart), (string[])[now.Host ?? "", $"{now.Port}",
                now.Database ?? "", now.Username ?? ""]);
            if (!changed.SequenceEqual(
                [before.Host ?? "", $"{before.Port}", before.Database ?? "", before.Username ?? ""], StringComparer.Ordinal))
                Log.NeedsRestart(logger);
        }
        catch (StartupException e)
        {
            Log.NotRead(logger, e.Message);
        }
    }

    private static NpgsqlConnectionStringBuilder Read(string connectionString)
    {
        try
        {
            return ConnectionText.Read(connectionString);
        }
        catch (ArgumentException e)
        {
            throw new StartupException(
                "ConnectionStrings:Catalog can't be read: write it as Host=…;Database=…;Username=…;Password=…", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        changes?.Dispose();
        if (dataSource is not null)
            await dataSource.DisposeAsync();
        if (embedded is not null)
            await embedded.DisposeAsync();
    }

    /// <summary>How Dapper reads and writes what the catalog holds. Once per process.</summary>
    public static void ConfigureDapper()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new UtcTime());
    }

    // Npgsql gives timestamptz as a UTC DateTime; the domain uses DateTimeOffset.
    private sealed class UtcTime : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override DateTimeOffset Parse(object value) => value switch
        {
            DateTime time => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)),
            DateTimeOffset time => time,
            _ => throw new InvalidCastException($"Not a time: {value.GetType()}."),
        };

        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value) => parameter.Value = value.UtcDateTime;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning,
            "ConnectionStrings:Catalog now names another server, database or user: that takes effect with the next start. A "
            + "password takes effect at once.")]
        public static partial void NeedsRestart(ILogger logger);

        [LoggerMessage(LogLevel.Warning, "{Reason} The service keeps using the earlier value.")]
        public static partial void NotRead(ILogger logger, string reason);
    }
}
