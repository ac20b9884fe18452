namespace ClaimCheck.Service.Datasets;

/// <summary>A named, parameterised query that may be exported, as the operator defined it.</summary>
internal sealed record Dataset
{
    public required string Name { get; init; }
    public required string Title { get; init; }
    public required string Source { get; init; }
    public required string Key { get; init; }
    public required int SchemaVersion { get; init; }

    /// <summary>Whether rows that a policy of the source hides from its role may be missing; if not, such a query is
    /// refused.</summary>
    public bool RowSecurity { get; init; }

    /// <summary>True where the operator guarantees that the key is unique: <c>"keyUnique": "trusted"</c>.</summary>
    public bool TrustsKey { get; init; }

    /// <summary>In the order of the definition.</summary>
    public required IReadOnlyList<Parameter> Parameters { get; init; }
    public required SourceSql Sql { get; init; }

    /// <summary>The table that <see cref="Sql"/> reads, where the definition names one.</summary>
    public TableQuery? Table { get; init; }
    public required TimeSpan LinkLifetime { get; init; }
    public required TimeSpan Retention { get; init; }
    public DatasetDelivery? Delivery { get; init; }

    /// <summary>The most records of an export, or null.</summary>
    public long? MaxRecords { get; init; }

    /// <summary>The most stored bytes of all files of an export, or null.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Parameter name to type, as <see cref="SourceQuery"/> needs it.</summary>
    public IReadOnlyDictionary<string, string> ParameterTypes =>
        new OrderedDictionary<string, string>(
            Parameters.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Type)));

    /// <param name="Name">Without the colon.</param>
    /// <param name="Type">One of <see cref="SourceTypes"/>, canonical.</param>
    /// <param name="Required">Whether an export must give it.</param>
    internal sealed record Parameter(string Name, string Type, bool Required);
}

/// <summary>Whether a dataset can be exported at present, and the columns of its result.</summary>
/// <param name="Columns">Where it is unavailable: as they were last known, or null where they never were.</param>
/// <param name="Unavailable">Why it is unavailable, or null.</param>
internal sealed record DatasetAvailability(IReadOnlyList<ResultColumn>? Columns, Unavailability? Unavailable)
{
    public bool IsAvailable => Unavailable is null;
}
