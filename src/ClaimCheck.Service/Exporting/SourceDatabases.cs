using System.Collections.Concurrent;
using Npgsql;

namespace ClaimCheck.Service.Exporting;

/// <summary>The databases that datasets read from: <c>ConnectionStrings:{source}</c>, one small pool each.</summary>
internal sealed class SourceDatabases(IConfiguration configuration) : IAsyncDisposable
{
    /// <summary>How long a connect may take before the source counts as unreachable.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, (string Reader, string Writer)> registered = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<NpgsqlDataSource>> pools = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<NpgsqlDataSource>> writing = new(StringComparer.Ordinal);

    /// <summary>Names a database that the service made itself, with the ways to read and to write it. A configured connection string goes first.</summary>
    public void Register(string source, string reader, string writer) => registered[source] = (reader, writer);

    /// <summary>Whether <see cref="Get"/> knows the source.</summary>
    public bool IsKnown(string source) => ConnectionStringOf(source) is not null;

    /// <summary>The pool of a source. Whoever reads from it begins a transaction and applies <see cref="SourceSettings"/>.</summary>
    /// <exception cref="ExportFailedException">No such connection string (any more): <c>source_unavailable</c>.</exception>
    /// <exception cref="ArgumentException">The connection string can't be read. The text may name its keywords, never its values.</exception>
    public NpgsqlDataSource Get(string source)
    {
        var connectionString = ConnectionStringOf(source)
            ?? throw new ExportFailedException("source_unavailable", $"There is no connection string for the source {source}.", isTransient: true);
        return pools.GetOrAdd(source, _ => new Lazy<NpgsqlDataSource>(() => Open(connectionString, SourceSettings.ApplicationName))).Value;
    }

    /// <summary>The pool of a database that operations write to. Values go in behind <see cref="SessionPins.Block"/>.</summary>
    /// <exception cref="ExportFailedException">No such connection string (any more).</exception>
    public NpgsqlDataSource GetForWriting(string target)
    {
        var connectionString = ConnectionStringOf(target, isWriting: true)
            ?? throw new ExportFailedException("target_unavailable", $"There is no connection string for the target {target}.", isTransient: true);
        return writing.GetOrAdd(target, _ => new Lazy<NpgsqlDataSource>(() => Open(connectionString, "claimcheck"))).Value;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pool in pools.Values.Concat(writing.Values).Where(pool => pool.IsValueCreated))
            await pool.Value.DisposeAsync();
    }

    private string? ConnectionStringOf(string source, bool isWriting = false) =>
        configuration.GetConnectionString(source) is { Length: > 0 } configured ? configured
        : registered.TryGetValue(source, out var own) ? isWriting ? own.Writer : own.Reader
        : null;

    // No logger factory, no traces: statements hold the criteria's values.
    private static NpgsqlDataSource Open(string connectionString, string name)
    {
        var pool = new NpgsqlDataSourceBuilder(Settle(connectionString, name));
        pool.ConfigureTracing(tracing => tracing
            .ConfigureCommandFilter(_ => false)
            .ConfigureBatchFilter(_ => false)
            .ConfigureCopyOperationFilter(_ => false));
        // Values go as text. Loaded, a database's own types would matter: Npgsql refuses to describe a result with some of them.
        pool.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        return pool.Build();
    }

    private static string Settle(string connectionString, string name)
    {
        var defaults = new NpgsqlConnectionStringBuilder();
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = name,
            ClientEncoding = "UTF8",
            Encoding = "UTF8",
            // Poolers refuse or drop what is asked for at the start of a session: what counts is set in each transaction.
            Timezone = null,
            Multiplexing = false,
            Enlist = false,
            // Details of errors may quote records.
            IncludeErrorDetail = false,
            PersistSecurityInfo = false,
        };
        if (settings.Timeout == defaults.Timeout)
            settings.Timeout = (int)ConnectTimeout.TotalSeconds;
        if (settings.MaxPoolSize == defaults.MaxPoolSize)
            settings.MaxPoolSize = 10;
        if (settings.ReadBufferSize == defaults.ReadBufferSize)
            settings.ReadBufferSize = 128 * 1024;
        return settings.ConnectionString;
    }
}
