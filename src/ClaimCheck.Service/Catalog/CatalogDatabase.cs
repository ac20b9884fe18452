using System.Data;
using Dapper;
using Npgsql;

namespace ClaimCheck.Service.Catalog;

/// <summary>The service's own Postgres: <c>ConnectionStrings:Catalog</c>, or the embedded one where that is not set.</summary>
internal sealed class CatalogDatabase(IConfiguration configuration, ILogger<EmbeddedPostgres> logger) : IAsyncDisposable
{
    // The embedded database's name.
    private const string Embedded = "claimcheck";

    private EmbeddedPostgres? embedded;
    private NpgsqlDataSource? dataSource;

    /// <summary>The pool. Known once start-up has opened the catalog.</summary>
    public NpgsqlDataSource DataSource => dataSource ?? throw new InvalidOperationException("The catalog is not open yet.");

    /// <summary>The way to it. It holds a password: keep it out of logs.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>The private Postgres that the service started, or null.</summary>
    public EmbeddedPostgres? Server => embedded;

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var connectionString = configuration.GetConnectionString("Catalog");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            embedded = await EmbeddedPostgres.StartAsync(Hosting.DataDirectory.Of(configuration), logger, cancellationToken);
            await EmbeddedRoles.PrepareAsync(embedded, Embedded, EmbeddedRoles.Catalog, reader: null, cancellationToken);
            connectionString = EmbeddedRoles.ConnectionString(embedded, Embedded, EmbeddedRoles.Catalog);
        }

        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.ConnectionStringBuilder.ApplicationName ??= "claimcheck";
        // A catalog that was restarted must not be seen through dead connections for long.
        if (builder.ConnectionStringBuilder.KeepAlive == 0)
            builder.ConnectionStringBuilder.KeepAlive = 10;
        ConnectionString = builder.ConnectionString;
        dataSource = builder.Build();
    }

    public async ValueTask DisposeAsync()
    {
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

    // Npgsql gives timestamptz as a UTC DateTime; the domain speaks DateTimeOffset.
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
}
