using System.Collections.Frozen;
using ClaimCheck.Service.Exporting;
using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Datasets;

/// <summary>What may be exported: the datasets of one folder, read once at start.</summary>
internal sealed partial class DatasetCatalog(
    DatasetFolder folder, SourceDatabases sources, TimeProvider clock, ILogger<DatasetCatalog> logger)
{
    private FrozenDictionary<string, DatasetProbe> probes = FrozenDictionary<string, DatasetProbe>.Empty;

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<Dataset> All { get; private set; } = [];

    /// <summary>Reads the folder and holds each dataset against its source, where that can be reached.</summary>
    /// <exception cref="StartupException">A definition can't be used: its file and the reason.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var datasets = await DatasetLoader.LoadAsync(folder.Path, cancellationToken);
        foreach (var dataset in datasets)
            CheckSource(dataset);

        var asked = datasets.ToFrozenDictionary(dataset => dataset.Name, dataset => new DatasetProbe(dataset, sources, clock, logger));
        var answers = await Task.WhenAll(datasets.Select(dataset => asked[dataset.Name].AnswerAsync(cancellationToken)));
        foreach (var (dataset, answer) in datasets.Zip(answers))
        {
            if (answer is SourceAnswer.Faulty faulty)
                throw new StartupException($"{dataset.File}: {faulty.Reason}.");
        }

        (probes, All) = (asked, datasets);
        Log.Loaded(logger, datasets.Count, folder.Path);
    }

    public Dataset? Find(string name) => probes.GetValueOrDefault(name)?.Dataset;

    /// <summary>Whether the dataset's source answers, as of a few seconds ago at most.</summary>
    public Task<DatasetAvailability> ProbeAsync(Dataset dataset, CancellationToken cancellationToken) =>
        probes[dataset.Name].ProbeAsync(cancellationToken);

    /// <summary>The dataset as an export keeps it.</summary>
    /// <returns>Null while its source can't be reached.</returns>
    public async Task<FrozenDataset?> FreezeAsync(Dataset dataset, CancellationToken cancellationToken) =>
        await ProbeAsync(dataset, cancellationToken) is { IsAvailable: true, Columns: { } columns } ? Freeze(dataset, columns) : null;

    private static FrozenDataset Freeze(Dataset dataset, IReadOnlyList<ResultColumn> columns) => new()
    {
        Name = dataset.Name,
        Source = dataset.Source,
        Sql = dataset.Sql.Text,
        Parameters = dataset.ParameterTypes,
        RowSecurity = dataset.RowSecurity,
        Key = dataset.Key,
        OrderedBy = dataset.Sql.OrderedBy(columns.Select(column => column.Name)),
        SchemaVersion = dataset.SchemaVersion,
        Columns = [.. columns.Select(column => column.ToContract())],
        Delivery = dataset.Delivery,
    };

    private void CheckSource(Dataset dataset)
    {
        // The sample may be missing where its database could not be made: that has been said already.
        if (sources.IsKnown(dataset.Source) || (folder.IsShipped && dataset.Source == SampleDatabase.Source))
            return;
        throw new StartupException(
            $"{dataset.File}: source is {dataset.Source}, but ConnectionStrings:{dataset.Source} is not set: "
            + $"set it (in the environment: ConnectionStrings__{dataset.Source}).");
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Count} datasets are read from {Folder}.")]
        public static partial void Loaded(ILogger logger, int count, string folder);
    }
}
