using System.Collections.Concurrent;

namespace ClaimCheck.Service.Sources;

/// <summary>The databases that datasets read from and operations write to: <c>ConnectionStrings:{source}</c>, one small pool
/// each. A string that changes gets a new pool, and users of the old pool are not disturbed.</summary>
internal sealed class SourceDatabases(IConfiguration configuration, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long a connect may take before the source counts as unreachable.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    // A caller that got a pool a moment before it was replaced may still open a connection of it.
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, (string Reader, string Writer)> registered = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Name, bool IsWriting), Pool> pools = [];
    private readonly Queue<(NpgsqlDataSource Source, long At)> replaced = [];

    /// <summary>Registers a database that the service created itself, with the connection strings to read and to write it. A
    /// configured connection string takes precedence.</summary>
    public void Register(string source, string reader, string writer) => registered[source] = (reader, writer);

    /// <summary>Whether <see cref="Get"/> knows the source.</summary>
    public bool IsKnown(string source) => ConnectionStringOf(source) is not null;

    /// <summary>The pool of a source. Readers begin a transaction and apply <see cref="SourceSettings"/>.</summary>
    /// <exception cref="SourceException">The connection string is missing or was removed:
    /// <c>source_unavailable</c>.</exception>
    /// <exception cref="ArgumentException">The connection string can't be read. The text may name its keywords,
    /// never its values.</exception>
    public NpgsqlDataSource Get(string source)
    {
        var connectionString = ConnectionStringOf(source)
            ?? throw new SourceException(
                "source_unavailable", $"The source {source} has no connection string.", isTransient: true);
        return Current(source, isWriting: false, connectionString, "source_unavailable");
    }

    /// <summary>The pool of a database that operations write to. Values are sent behind
    /// <see cref="SessionPins.Block"/>.</summary>
    /// <exception cref="SourceException">The connection string is missing or was removed.</exception>
    public NpgsqlDataSource GetForWriting(string target)
    {
        var connectionString = ConnectionStringOf(target, isWriting: true)
            ?? throw new SourceException(
                "target_unavailable", $"The target {target} has no connection string.", isTransient: true);
        return Current(target, isWriting: true, connectionString, "target_unavailable");
    }

    public async ValueTask DisposeAsync()
    {
        List<NpgsqlDataSource> all;
        lock (gate)
        {
            all = [.. pools.Values.Select(pool => pool.Source), .. replaced.Select(old => old.Source)];
            pools.Clear();
            replaced.Clear();
        }

        foreach (var source in all)
            await source.DisposeAsync();
    }

    private NpgsqlDataSource Current(string name, bool isWriting, string connectionString, string code)
    {
        PasswordOptions? password;
        try
        {
            password = PasswordOptions.Of(configuration, $"ClaimCheck:Sources:{name}");
        }
        catch (FormatException e)
        {
            throw new SourceException(code, e.Message, isTransient: true);
        }

        lock (gate)
        {
            EndReplaced();
            if (pools.TryGetValue((name, isWriting), out var pool))
            {
                if (pool.ConnectionString == connectionString && pool.Password == password)
                    return pool.Source;
                pool.Source.Clear(); // idle connections are closed, and others when their user returns them
                replaced.Enqueue((pool.Source, time.GetTimestamp()));
            }

            pool = new(connectionString, password, Open(
                connectionString, password?.Open(time), isWriting ? "claimcheck" : SourceSettings.ApplicationName));
            pools[(name, isWriting)] = pool;
            return pool.Source;
        }
    }

    // Connections in use continue, and are closed when they are returned.
    private void EndReplaced()
    {
        while (replaced.TryPeek(out var old) && time.GetElapsedTime(old.At) >= Grace)
            replaced.Dequeue().Source.Dispose();
    }

    private string? ConnectionStringOf(string source, bool isWriting = false) =>
        configuration.GetConnectionString(source) is { Length: > 0 } configured ? configured
        : registered.TryGetValue(source, out var own) ? isWriting ? own.Writer : own.Reader
        : null;

    // No logger factory, no traces: statements contain the criteria's values.
    private static NpgsqlDataSource Open(string connectionString, PasswordFile? password, string name)
    {
        var pool = new NpgsqlDataSourceBuilder(Settle(connectionString, name));
        password?.Use(pool);
        pool.ConfigureTracing(tracing => tracing
            .ConfigureCommandFilter(_ => false)
            .ConfigureBatchFilter(_ => false)
            .ConfigureCopyOperationFilter(_ => false));
        // Values are sent as text. Type loading would matter for a database's own types: Npgsql refuses to describe a result with
        // some of them.
        pool.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        return pool.Build();
    }

    private static string Settle(string connectionString, string name)
    {
        var defaults = new NpgsqlConnectionStringBuilder();
        var settings = ConnectionText.Read(connectionString);
        settings.ApplicationName = name;
        settings.ClientEncoding = "UTF8";
        settings.Encoding = "UTF8";
        // Poolers refuse or drop what is asked for at the start of a session: the decisive settings are set in each transaction.
        settings.Timezone = null;
        settings.Multiplexing = false;
        settings.Enlist = false;
        // Details of errors may quote records.
        settings.IncludeErrorDetail = false;
        settings.PersistSecurityInfo = false;
        if (settings.Timeout == defaults.Timeout)
            settings.Timeout = (int)ConnectTimeout.TotalSeconds;
        if (settings.MaxPoolSize == defaults.MaxPoolSize)
            settings.MaxPoolSize = 10;
        if (settings.ReadBufferSize == defaults.ReadBufferSize)
            settings.ReadBufferSize = 128 * 1024;
        return settings.ConnectionString;
    }

    private sealed record Pool(string ConnectionString, PasswordOptions? Password, NpgsqlDataSource Source);
}
