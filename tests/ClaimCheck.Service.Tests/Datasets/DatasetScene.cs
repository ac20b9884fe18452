using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Sources;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ClaimCheck.Service.Tests.Datasets;

/// <summary>A folder of definitions and what the service makes of it.</summary>
internal sealed class DatasetScene : IAsyncDisposable
{
    private readonly DirectoryInfo parent = Directory.CreateTempSubdirectory("claimcheck-datasets-");
    private readonly Dictionary<string, string?> settings = new(StringComparer.Ordinal);
    private readonly List<SourceDatabases> opened = [];

    public DatasetScene()
    {
        Folder = parent.CreateSubdirectory("datasets").FullName;
        settings["ClaimCheck:Datasets"] = Folder;
    }

    public string Folder { get; }

    public List<string> Logged { get; } = [];

    public ManualClock Clock { get; } = new();

    public DatasetScene With(string setting, string? value)
    {
        settings[setting] = value;
        return this;
    }

    public DatasetScene Define(string name, string? json, string? sql)
    {
        if (json is not null)
            File.WriteAllText(Path.Combine(Folder, name + ".json"), json);
        if (sql is not null)
            File.WriteAllText(Path.Combine(Folder, name + ".sql"), sql);
        return this;
    }

    public IConfiguration Configuration => new ConfigurationBuilder().AddInMemoryCollection(settings).Build();

    public SourceDatabases Sources()
    {
        var sources = new SourceDatabases(Configuration, TimeProvider.System);
        opened.Add(sources);
        return sources;
    }

    public SampleDatabase Sample(SourceDatabases sources) =>
        new(new DatasetFolder(Configuration), Configuration, sources, LoggerOf<SampleDatabase>());

    public DatasetCatalog Catalog(SourceDatabases? sources = null) =>
        new(new DatasetFolder(Configuration), sources ?? Sources(), Clock, LoggerOf<DatasetCatalog>());

    public async Task<DatasetCatalog> LoadAsync()
    {
        var catalog = Catalog();
        await catalog.ReloadAsync(all: true, CancellationToken.None);
        return catalog;
    }

    /// <summary>The folder's only definition.</summary>
    public Dataset Definition() =>
        Read() is (var definition, null) ? definition! : throw new InvalidOperationException($"{Read().Fault}");

    /// <summary>What is wrong with the folder's only definition.</summary>
    public DefinitionFault Fault() => Read().Fault ?? throw new InvalidOperationException("Nothing is wrong with it.");

    private (Dataset? Definition, DefinitionFault? Fault) Read()
    {
        var pair = Assert.Single(DefinitionPair.ReadAll(Folder, new("a dataset", "datasets", "query", "ClaimCheck:Datasets")));
        return pair.Define((json, sql) => DefinitionReader.Read(pair.Name, json, sql));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sources in opened)
            await sources.DisposeAsync();
        parent.Delete(recursive: true);
    }

    private Recorder<T> LoggerOf<T>() => new(Logged);

    internal sealed class ManualClock : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref ticks);

        public void Advance(TimeSpan time) => Interlocked.Add(ref ticks, time.Ticks);
    }

    private sealed class Recorder<T>(List<string> lines) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => NullLogger.Instance.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (lines)
                lines.Add($"{logLevel}: {formatter(state, exception)}");
        }
    }
}
