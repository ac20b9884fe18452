using System.Collections.Concurrent;

namespace ClaimCheck.Service.Datasets;

/// <summary>The datasets that may be exported: those of one folder, read at start and whenever it changes.</summary>
internal sealed class DatasetCatalog : IDefinitionFolder
{
    private static readonly DefinitionKind Kind = new("a dataset", "datasets", "query", "ClaimCheck:Datasets", Instead: "table");

    private readonly DatasetFolder folder;
    private readonly SourceDatabases sources;
    private readonly Definitions<DefinedDataset> definitions;
    private readonly ConcurrentDictionary<string, SourceGate> gates = new(StringComparer.Ordinal);

    public DatasetCatalog(DatasetFolder folder, SourceDatabases sources, TimeProvider clock, ILogger<DatasetCatalog> logger)
    {
        (this.folder, this.sources) = (folder, sources);
        definitions = new(Kind, (files, before) => new DefinedDataset(files, before, AskAsync, clock, logger), logger);
    }

    /// <summary>All datasets at this moment, including unavailable ones.</summary>
    public DefinitionSet<DefinedDataset> Current => definitions.Current;

    string? IDefinitionFolder.Path => folder.Path;

    /// <summary>Reads the folder, and checks each dataset against its source where that can be reached.</summary>
    /// <exception cref="StartupException">The folder can't be read.</exception>
    public Task<IReadOnlyList<ReloadedDefinition>> ReloadAsync(bool all, CancellationToken cancellationToken) =>
        definitions.ReadAsync(folder.Path, all, cancellationToken);

    /// <summary>The dataset of a name; null where no definition has it.</summary>
    public DefinedDataset? Find(string name) => Current.Find(name);

    private Task<SourceAnswer> AskAsync(Dataset dataset)
    {
        // The sample may be missing where its database could not be created: that was logged already.
        if (!sources.IsKnown(dataset.Source) && !(folder.IsShipped && dataset.Source == SampleDatabase.Source))
        {
            return Task.FromResult<SourceAnswer>(new SourceAnswer.Faulty(
                $"source is {dataset.Source}, but ConnectionStrings:{dataset.Source} is not set: set it (in the environment: "
                + $"ConnectionStrings__{dataset.Source})",
                Field: "source"));
        }

        return gates.GetOrAdd(dataset.Source, _ => new()).AskAsync(() => SourceCheck.AskAsync(sources, dataset));
    }
}
