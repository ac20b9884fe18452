using ClaimCheck.Consumer.Tests.Listening;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ClaimCheck.Consumer.Tests.Handling;

/// <summary>What the record handlers of one test do, and what they saw.</summary>
internal sealed class Doing<T>
{
    public Func<RecordChunk<T>, CancellationToken, Task> Handle { get; set; } = (_, _) => Task.CompletedTask;

    public Func<BatchStart, Task> Starting { get; set; } = _ => Task.CompletedTask;

    public Func<BatchCompletion, Task> Completed { get; set; } = _ => Task.CompletedTask;

    public Func<BatchDiscard, Task> Revoked { get; set; } = _ => Task.CompletedTask;
}

internal sealed class DoingHandler<T>(Doing<T> doing) : IRecordHandler<T>
{
    public Task HandleAsync(RecordChunk<T> chunk, CancellationToken cancellationToken) => doing.Handle(chunk, cancellationToken);

    public Task OnBatchStartingAsync(BatchStart batch, CancellationToken cancellationToken) => doing.Starting(batch);

    public Task OnBatchCompletedAsync(BatchCompletion batch, CancellationToken cancellationToken) => doing.Completed(batch);

    public Task OnRevokedAsync(BatchDiscard discard, CancellationToken cancellationToken) => doing.Revoked(discard);
}

/// <summary>A service with one batch, a consumer's own Postgres with a table that effects go to, and hosts as a
/// consumer builds them.</summary>
internal sealed class RecordScene : IAsyncDisposable
{
    public const string Consumer = "billing";

    private readonly List<IHost> hosts = [];

    private RecordScene(TestService service, string database) => (Service, Database) = (service, database);

    public TestService Service { get; }

    public string Database { get; }

    public LogLines Log { get; } = new();

    public static async Task<RecordScene> CreateAsync(int records = 40, string format = "csv")
    {
        var database = await PostgresServer.NewDatabaseAsync();
        var scene = new RecordScene(await TestService.StartAsync(Order.Batch(records, format)), database);
        await scene.ExecuteAsync("CREATE TABLE applied (id bigint PRIMARY KEY, times int NOT NULL)");
        return scene;
    }

    /// <summary>Writes the records that are not failed to the table, through the chunk's transaction.</summary>
    public static async Task ApplyAsync<T>(
        RecordChunk<T> chunk, CancellationToken cancellationToken, Func<ChunkRecord<T>, bool>? but = null)
    {
        var ids = new List<long>();
        foreach (var record in chunk)
        {
            if (but?.Invoke(record) != true)
                ids.Add(long.Parse(record.Key));
        }
        const string sql = """
            INSERT INTO applied (id, times)
            SELECT id, 1 FROM unnest(@ids) AS id
            ON CONFLICT (id) DO UPDATE SET times = applied.times + 1
            """;
        await using var command = new NpgsqlCommand(sql, chunk.Connection, chunk.Transaction);
        command.Parameters.AddWithValue("ids", ids.ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<IHost> StartAsync<T>(
        Doing<T> doing, Action<RecordOptions>? configure = null, Action<InboxOptions>? inbox = null,
        Action<FeedListenerOptions>? listen = null)
    {
        var host = Build(Service.Server.Address, Database, doing, configure, inbox, listen, Log);
        hosts.Add(host);
        await host.StartAsync();
        return host;
    }

    public static IHost Build<T>(
        string service, string database, Doing<T> doing, Action<RecordOptions>? configure = null,
        Action<InboxOptions>? inbox = null,
        Action<FeedListenerOptions>? listen = null, ILoggerProvider? log = null)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        if (log is not null)
            builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(log).AddFilter("Npgsql", LogLevel.None);
        builder.Services.AddSingleton(doing);
        builder.Services.AddClaimCheckConsumer(options =>
            {
                options.Service = new Uri(service);
                options.Consumer = Consumer;
                options.StateCheckInterval = TimeSpan.FromSeconds(1);
            })
            .UseInbox(database, options =>
            {
                options.Lease = TimeSpan.FromSeconds(5);
                options.ReceiptRetryDelay = TimeSpan.FromMilliseconds(20);
                inbox?.Invoke(options);
            })
            .AddFeedRecords<T, DoingHandler<T>>(
                options =>
                {
                    options.ChunkSize = 4;
                    configure?.Invoke(options);
                },
                options =>
                {
                    options.RetryDelay = TimeSpan.FromMilliseconds(10);
                    options.MaxRetryDelay = TimeSpan.FromMilliseconds(200);
                    options.StopTimeout = TimeSpan.FromMilliseconds(500);
                    options.MaxAttempts = 1000;
                    listen?.Invoke(options);
                });
        return builder.Build();
    }

    /// <summary>Waits until the service was told how the batch ended.</summary>
    public async Task<ReceiptReport> EndedAsync()
    {
        await Deadline.UntilAsync(() => Service.Receipt(Consumer) is { } receipt && ReceiptState.IsEnd(receipt.State));
        return Service.Receipt(Consumer)!;
    }

    /// <summary>How often each record took effect.</summary>
    public async Task<Dictionary<long, int>> AppliedAsync()
    {
        var applied = new Dictionary<long, int>();
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(Database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT id, times FROM applied", connection);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            applied[reader.GetInt64(0)] = reader.GetInt32(1);
        return applied;
    }

    public async Task<T?> AskAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(Database) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        try
        {
            return await command.ExecuteScalarAsync() is T found ? found : default;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return default; // the consumer has not made its tables yet
        }
    }

    public Task ExecuteAsync(string sql) => AskAsync<object>(sql);

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts)
        {
            await host.StopAsync();
            host.Dispose();
        }
        await Service.DisposeAsync();
        // Of every test: neither links nor what records hold are logged.
        Assert.DoesNotContain("sig=", Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain("Zoë", Log.All, StringComparison.Ordinal);
        Log.Dispose();
    }
}
