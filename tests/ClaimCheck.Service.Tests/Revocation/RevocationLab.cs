using System.Collections.Concurrent;
using System.Text.Json;
using Amazon.Runtime;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Batches;
using ClaimCheck.Service.Blocks;
using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Http;
using ClaimCheck.Service.Http.Access;
using ClaimCheck.Service.Links;
using ClaimCheck.Service.ProducerBatches;
using ClaimCheck.Service.Publishing;
using ClaimCheck.Service.Receipts;
using ClaimCheck.Service.Revocation;
using ClaimCheck.Service.Sources;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ClaimCheck.Service.Tests.Revocation;

/// <summary>
/// The whole service within the test process, over a real catalog, source and staging. Its loops (worker, relay, cleaner) run,
/// or stand still so that a test takes each step by itself.
/// </summary>
internal sealed class RevocationLab : IAsyncDisposable
{
    public static readonly Caller Caller = new("tester", Caller.DefaultTenant);
    private readonly WebApplication server;
    private readonly string directory;

    private RevocationLab(WebApplication server, string directory, RememberedLog log) =>
        (this.server, this.directory, Log) = (server, directory, log);

    public RememberedLog Log { get; }
    public HttpClient Http { get; } =
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(30) };
    public NpgsqlDataSource Catalog => Get<NpgsqlDataSource>();
    public HesitantStaging Staging => (HesitantStaging)Get<IStaging>();
    public string Folder => Path.Combine(directory, "staging");
    public string? Bucket { get; private init; }
    public FaultProxy? Proxy { get; private init; }

    /// <param name="loops">Whether worker, relay and cleaner run by themselves.</param>
    /// <param name="onS3">A bucket of the real server, behind a proxy that can do harm; else a folder.</param>
    /// <param name="versioned">Of the bucket.</param>
    /// <param name="seed">Staging hesitates at random.</param>
    /// <param name="relays">How many relays compete.</param>
    public static async Task<RevocationLab> StartAsync(
        bool loops, bool onS3 = false, bool versioned = false, int? seed = null, int relays = 1)
    {
        var data = Directory.CreateTempSubdirectory("claimcheck-revocation-").FullName;
        var source = await PostgresServer.NewDatabaseAsync();
        await Scene.SqlAsync(source, "CREATE TABLE items (id bigint PRIMARY KEY, name text); INSERT INTO items SELECT g, 'item ' "
            + "|| g FROM generate_series(1, 200) g");
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings:Catalog"] = await PostgresServer.NewDatabaseAsync(),
            ["ConnectionStrings:source"] = source,
            ["ClaimCheck:DataDirectory"] = data,
            ["ClaimCheck:Exporting:Parallelism"] = "6",
            ["urls"] = "http://127.0.0.1:0",
        };
        FaultProxy? proxy = null;
        string? bucket = null;
        if (onS3)
        {
            var endpoint = await S3Endpoint.GetAsync();
            proxy = await FaultProxy.StartAsync(endpoint.Url);
            settings["ClaimCheck:Staging:Bucket"] = bucket = await endpoint.NewBucketAsync(versioned);
            settings["ClaimCheck:Staging:ServiceUrl"] = proxy.Url.GetLeftPart(UriPartial.Authority);
            settings["ClaimCheck:Staging:Region"] = endpoint.Region;
            settings["ClaimCheck:Staging:StallTimeout"] = "00:00:05";
        }

        var log = new RememberedLog();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = data });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.ClearProviders().AddProvider(log).AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.AddStartup().AddHttp().AddCatalog().AddSources().AddDatasets().AddStaging().AddLinks().AddExports().AddExporting()
            .AddRevocation().AddReceipts().AddBatches()
            .AddPublishing();
        Remove(builder.Services, typeof(ReceiptWorker));
        if (onS3)
            await UseTestCredentialsAsync(builder.Services);
        builder.AddProducerBatches(); // a worker needs them
        Hesitate(builder.Services, seed);
        if (!loops)
            Remove(builder.Services, typeof(ExportWorker), typeof(OutboxRelay), typeof(ErasureWorker));
        for (var more = 1; loops && more < relays; more++)
            builder.Services.AddSingleton<IHostedService>(services => ActivatorUtilities.CreateInstance<OutboxRelay>(services));

        var app = builder.Build();
        app.UseHttp();
        app.MapHttp();
        app.MapExports().MapBatches().MapRevocation().MapEvents();
        app.MapStagedFiles();
        var catalog = app.Services.GetRequiredService<CatalogDatabase>();
        await catalog.OpenAsync(default);
        await Migrations.ApplyAsync(catalog.DataSource, app.Logger, default);
        await app.Services.GetRequiredService<IStaging>().CheckAsync(default);
        await app.StartAsync();
        var lab = new RevocationLab(app, data, log) { Bucket = bucket, Proxy = proxy };
        lab.Http.BaseAddress = new Uri(app.Urls.Single());
        return lab;
    }

    public T Get<T>()
        where T : notnull => server.Services.GetRequiredService<T>();

    /// <summary>Asks for an export.</summary>
    /// <param name="rows">At most 200, but for a query of its own.</param>
    /// <param name="retention">How long it is kept.</param>
    /// <param name="lifetime">How long links live.</param>
    /// <param name="maxFileBytes">How large files get.</param>
    /// <param name="retryOf">The batch it retries.</param>
    /// <param name="sql">Instead of the rows.</param>
    public async Task<ExportRow> AskAsync(
        int rows = 50, TimeSpan? retention = null, TimeSpan? lifetime = null, long maxFileBytes = 1 << 20,
        BatchId? retryOf = null, string? sql = null)
    {
        var dataset = new FrozenDataset
        {
            Name = "items",
            Source = "source",
            Sql = sql ?? $"SELECT id, name FROM items WHERE id <= {rows} ORDER BY id",
            Parameters = new Dictionary<string, string>(),
            Key = "id",
            SchemaVersion = 1,
            Columns = [new("id", "bigint", true), new("name", "text", true)],
        };
        var created = await Get<ExportStore>().CreateAsync(
            Caller,
            new(dataset, new(
                JsonElement.Parse("{}"), "csv", sql is null ? "gzip" : "none", maxFileBytes, lifetime ?? TimeSpan.FromHours(1),
                retention ?? TimeSpan.FromDays(1))),
            key: null,
            meaning: [],
            default);
        if (retryOf is { } original)
        {
            // With a record to try again: a retry of nothing is announced to nobody.
            await SqlAsync(
                """
                INSERT INTO record_failures (batch_id, consumer, digest, key, class, code, said)
                VALUES (@Original, '*', sha256('1'), '1', 'transient', 'db_down', '') ON CONFLICT DO NOTHING
                """,
                new { Original = original.Value });
            await SqlAsync(
                "UPDATE exports SET retry_of = @Original WHERE id = @Id", new { Original = original.Value, created.New!.Id });
        }

        return created.New!;
    }

    /// <summary>An export that waits, taken by a worker.</summary>
    public async Task<ExportPlan> LeaseAsync()
    {
        var asked = await AskAsync();
        var plan = await Get<ExportLeases>().TakeAsync(default);
        Assert.Equal(asked.ExportId, plan!.ExportId);
        return plan;
    }

    /// <summary>Takes the next export all the way to ready, with its manifest.</summary>
    public async Task<BatchId> ReadyAsync(ExportRow? asked = null)
    {
        asked ??= await AskAsync();
        var plan = await Get<ExportLeases>().TakeAsync(default);
        Assert.Equal(asked.ExportId, plan!.ExportId);
        var staged = await StageAsync(plan, new ExportMeter());
        Assert.True(await Get<ExportOutcomes>().CompleteAsync(plan, staged, default));
        Assert.NotNull(await Get<ManifestWriter>().WriteAsync(plan.BatchId, StagingKeys.Manifest(plan.BatchId), default));
        return plan.BatchId;
    }

    public Task<StagedBatch> StageAsync(ExportPlan plan, ExportMeter meter) =>
        Get<IEnumerable<IBatchStager>>().Single(stager => stager.Origin == plan.Dataset.Origin).StageAsync(plan, meter, default);

    public async Task<bool> RevokeAsync(BatchId batch) => await Get<BatchRevoker>().RevokeAsync(Caller, batch, "a test", default);

    /// <summary>Runs every deletion that is due.</summary>
    public async Task EraseAsync()
    {
        while (await Get<BatchEraser>().EraseNextAsync(default))
        {
        }
    }

    /// <summary>Makes a deletion due, however long it was postponed.</summary>
    public Task MakeDueAsync(BatchId batch) =>
        SqlAsync("UPDATE batch_deletions SET next_try_at = now() WHERE batch_id = @Id", new { Id = batch.Value });

    public Task<RevocationReport> ReportAsync(BatchId batch) =>
        Get<RevocationReports>().WaitAsync(Caller, batch, TimeSpan.Zero, default);

    public Task<ExportRow> FindAsync(BatchId batch) => Get<ExportStore>().FindAsync(Caller, batch, default)!;

    public async Task<List<StagedObject>> ObjectsAsync(BatchId batch) =>
        await Staging.ListAsync(StagingKeys.Batch(batch), default).ToListAsync();

    public async Task<List<StagedMultipartUpload>> UploadsAsync(BatchId batch) =>
        await Staging.ListUploadsAsync(StagingKeys.Batch(batch), default).ToListAsync();

    public async Task SqlAsync(string sql, object? parameters = null)
    {
        await using var connection = await Catalog.OpenConnectionAsync();
        await connection.ExecuteAsync(sql, parameters);
    }

    public async Task<List<T>> QueryAsync<T>(string sql, object? parameters = null)
    {
        await using var connection = await Catalog.OpenConnectionAsync();
        return (await connection.QueryAsync<T>(sql, parameters)).AsList();
    }

    /// <summary>The links that a manifest holds.</summary>
    public static IEnumerable<string> LinksIn(Manifest manifest) =>
        manifest.Files.SelectMany(file => new[] { file.Url.Reveal(), file.Index.Url.Reveal() });

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await server.DisposeAsync();
        if (Proxy is not null)
            await Proxy.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    private static async Task UseTestCredentialsAsync(IServiceCollection services)
    {
        var endpoint = await S3Endpoint.GetAsync();
        Remove(services, typeof(S3Connection));
        services.AddSingleton(provider => new S3Connection(
            provider.GetRequiredService<StagingOptions>(), new BasicAWSCredentials(endpoint.AccessKey, endpoint.SecretKey)));
    }

    private static void Hesitate(IServiceCollection services, int? seed)
    {
        var real = services.Single(service => service.ServiceType == typeof(IStaging));
        services.Remove(real);
        services.AddSingleton<IStaging>(provider => new HesitantStaging(
            (IStaging)ActivatorUtilities.CreateInstance(provider, real.ImplementationType!), seed));
    }

    private static void Remove(IServiceCollection services, params Type[] types)
    {
        foreach (var service in services.Where(service => types.Contains(service.ImplementationType)).ToList())
            services.Remove(service);
    }
}

/// <summary>What the service logged.</summary>
internal sealed class RememberedLog : ILoggerProvider
{
    private readonly ConcurrentQueue<string> lines = new();

    public IReadOnlyCollection<string> Lines => lines;

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void Dispose()
    {
    }

    private sealed class Logger(RememberedLog owner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            owner.lines.Enqueue($"{formatter(state, exception)} {exception}");
    }
}
