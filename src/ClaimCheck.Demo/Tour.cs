using System.Text.Json.Nodes;
using ClaimCheck.Aws;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;
using ClaimCheck.Demo.Chapters;
using ClaimCheck.Demo.Consuming;
using ClaimCheck.Demo.Stage;
using Npgsql;

namespace ClaimCheck.Demo;

/// <summary>One run of a chapter: what its steps pass on to each other, and the clean-up at its end.</summary>
internal sealed class Tour(DemoScreen screen) : IAsyncDisposable
{
    private ServiceProcess? service;
    private ClaimCheckClient? client;
    private Export? export;
    private AwsServers? aws;
    private ConsumerProcess? consumer;
    private AdapterProcess? adapter;
    private ConsumerSystem? system;
    private AdapterExport? adapterExport;
    private string? consumerDatabase;
    private BulkJob? job;
    private DirectoryInfo? folder;

    /// <summary>The table of this tour's consumer.</summary>
    public const string ConsumerTable = "billing_orders";

    public DemoScreen Screen => screen;

    /// <summary>For showing what is on the wire; it follows no redirect.</summary>
    public HttpClient Wire { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, Proxy = SystemProxy.Instance });

    public ServiceProcess Service => service ?? throw new DemoException("The service is not started.");

    public ClaimCheckClient Client => client ?? throw new DemoException("The service is not started.");

    /// <summary>S3, SNS and SQS, in the chapter that has them.</summary>
    public AwsServers Aws => aws ?? throw new DemoException("S3, SNS and SQS are not started.");

    /// <summary>The consumer, where it is a process of its own.</summary>
    public ConsumerProcess Consumer => consumer ?? throw new DemoException("The consumer is not started.");

    /// <summary>The adapter, in the chapters that have one.</summary>
    public AdapterProcess Adapter => adapter ?? throw new DemoException("The adapter is not started.");

    /// <summary>A consumer system that accepts notices.</summary>
    public ConsumerSystem ConsumerSystem => system ?? throw new DemoException("The consumer system is not started.");

    /// <summary>The adapter's export, whether requested from it or triggered by itself.</summary>
    public AdapterExport AdapterExport
    {
        get => adapterExport ?? throw new DemoException("The adapter has no export.");
        set => adapterExport = value;
    }

    public Export Export
    {
        get => export ?? throw new DemoException("Nothing was exported.");
        set => export = value;
    }

    /// <summary>The BulkReady of the export, once it came.</summary>
    public BulkReadyData? Ready { get; set; }

    /// <summary>The feed's cursor after it.</summary>
    public string? Cursor { get; set; }

    public long MessageBytes { get; set; }

    /// <summary>The bulk job, once it has ended.</summary>
    public BulkJob Job
    {
        get => job ?? throw new DemoException("There is no bulk job.");
        set => job = value;
    }

    /// <summary>The folder of the tour's own files; removed at its end.</summary>
    public string Folder => (folder ??= Directory.CreateTempSubdirectory("claimcheck-demo-files-")).FullName;

    public long RecordsRead { get; set; }

    /// <summary>A link that worked while the batch was ready.</summary>
    public Link? FileLink { get; set; }

    /// <summary>Runs a chapter's steps in turn.</summary>
    /// <returns>The exit code: 0, 1 where a step failed, 130 where the user interrupted it.</returns>
    public async Task<int> RunAsync(Chapter chapter, CancellationToken cancellationToken)
    {
        screen.Title(chapter.Title);
        for (var number = 1; number <= chapter.Steps.Count; number++)
        {
            var step = chapter.Steps[number - 1];
            screen.Step(number, chapter.Steps.Count, step.Title, step.Explanation);
            try
            {
                await step.RunAsync(this, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                screen.Failure("Stopped.");
                return 130;
            }
            catch (Exception e)
            {
                screen.Failure($"Step {number} ({step.Title}) failed: {e.Message}");
                if (service?.KeepLog() is { } log)
                    screen.Failure($"The service's log: {log}");
                if (adapter?.KeepLog() is { } adapterLog)
                    screen.Failure($"The adapter's log: {adapterLog}");
                return 1;
            }
        }
        return 0;
    }

    public async Task<ServiceProcess> StartServiceAsync(CancellationToken cancellationToken, params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string?>(aws?.ForService ?? new Dictionary<string, string?>());
        foreach (var (name, value) in settings)
            environment[name] = value;
        service = ServiceProcess.Start(environment);
        client = new ClaimCheckClient(await service.ListeningAsync(cancellationToken));
        return service;
    }

    public async Task<AwsServers> StartAwsAsync(CancellationToken cancellationToken)
    {
        aws = new AwsServers();
        await aws.StartAsync(cancellationToken);
        return aws;
    }

    public async Task<AdapterProcess> StartAdapterAsync(
        string route, JsonObject settings, Func<string, JsonObject> destination, CancellationToken cancellationToken)
    {
        adapter = AdapterProcess.Start(Client.BaseAddress, route, settings, destination);
        await adapter.ReadyAsync(Wire, cancellationToken);
        return adapter;
    }

    public async Task<ConsumerSystem> StartConsumerSystemAsync(CancellationToken cancellationToken)
    {
        system = new ConsumerSystem();
        await system.StartAsync(cancellationToken);
        return system;
    }

    /// <summary>
    /// An empty table in a schema of the consumer's own; on the service's server, so that nothing more has to be started.
    /// </summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> NewConsumerTableAsync(CancellationToken cancellationToken)
    {
        const string name = "consumer";
        var server = new NpgsqlConnectionStringBuilder((await File.ReadAllTextAsync(Service.SampleConnectionFile, cancellationToken)).Trim()) { Pooling = false };
        await ExecuteAsync(server.ConnectionString, $"CREATE SCHEMA {name}", cancellationToken);
        server.SearchPath = name;
        consumerDatabase = server.ConnectionString;
        await ExecuteAsync(
            consumerDatabase,
            $"""
            CREATE TABLE {ConsumerTable} (id bigint PRIMARY KEY, customer text, status text, amount numeric, currency text, note text,
                                          created_at timestamptz)
            """,
            cancellationToken);
        return consumerDatabase;
    }

    /// <summary>Orders of the sample that have a status.</summary>
    public async Task<long> CountAtSourceAsync(string status, CancellationToken cancellationToken)
    {
        await using var sample = NpgsqlDataSource.Create((await File.ReadAllTextAsync(Service.SampleConnectionFile, cancellationToken)).Trim());
        await using var command = sample.CreateCommand("SELECT count(*) FROM orders WHERE status = $1");
        command.Parameters.Add(new() { Value = status });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>
    /// Count and sum over the consumer's table, computed as <see cref="Order.SumAtSource"/> does at the source.
    /// </summary>
    public async Task<(long Count, string Sum)> SumOfConsumerTableAsync(CancellationToken cancellationToken)
    {
        await using var table = NpgsqlDataSource.Create(consumerDatabase ?? throw new DemoException("The consumer has no table."));
        await using var command = table.CreateCommand(Order.SumAtSource.Replace("FROM orders", $"FROM {ConsumerTable}", StringComparison.Ordinal));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (row.GetInt64(0), row.GetString(1));
    }

    public ConsumerProcess StartConsumer() => consumer = ConsumerProcess.Start(Aws, Client.BaseAddress);

    public async ValueTask DisposeAsync()
    {
        Wire.Dispose();
        client?.Dispose();
        if (consumer is not null)
            await consumer.DisposeAsync();
        if (adapter is not null)
            await adapter.DisposeAsync();
        if (system is not null)
            await system.DisposeAsync();
        if (service is not null)
            await service.DisposeAsync();
        if (aws is not null)
            await aws.DisposeAsync();
        folder?.Delete(recursive: true);
    }

    private static async Task ExecuteAsync(string database, string sql, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
