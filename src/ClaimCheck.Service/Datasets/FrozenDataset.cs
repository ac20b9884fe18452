using System.Text.Json.Serialization;

namespace ClaimCheck.Service.Datasets;

/// <summary>Where a batch's records come from.</summary>
internal enum RecordOrigin
{
    /// <summary>The dataset's query, run at its source.</summary>
    Query,

    /// <summary>Files that a producer has uploaded: there is neither source nor query.</summary>
    Producer,
}

/// <summary>A dataset as it was when the export was asked for. Stored with the export, as JSON.</summary>
internal sealed record FrozenDataset
{
    public required string Name { get; init; }

    /// <summary>Where the records come from.</summary>
    [JsonIgnore]
    public RecordOrigin Origin { get; init; }

    /// <summary><see cref="Origin"/> as definitions are stored.</summary>
    [JsonInclude]
    private bool IsUploaded
    {
        get => Origin == RecordOrigin.Producer;
        init => Origin = value ? RecordOrigin.Producer : RecordOrigin.Query;
    }

    public required string Source { get; init; }

    /// <summary>The query, with <c>:parameters</c>.</summary>
    public required string Sql { get; init; }

    /// <summary>The table that <see cref="Sql"/> reads, where the definition named one; else null.</summary>
    public TableQuery? Table { get; init; }

    /// <summary>Parameter name to Postgres type, for all parameters, including those not in the criteria.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    /// <summary>Whether rows that a policy of the source hides from its role may be missing.</summary>
    public bool RowSecurity { get; init; }

    public required string Key { get; init; }
    public string? OrderedBy { get; init; }

    /// <summary>True where the operator guarantees that keys are unique: then they are compared only where it costs
    /// nothing.</summary>
    public bool TrustsKey { get; init; }
    public required int SchemaVersion { get; init; }
    public required IReadOnlyList<Column> Columns { get; init; }

    /// <summary>The columns' types with domains resolved, which the names in <see cref="Columns"/> don't show; null where only
    /// those are known.</summary>
    public IReadOnlyList<ResultType>? Types { get; init; }

    /// <summary>Its definition of success, or null.</summary>
    public DatasetDelivery? Delivery { get; init; }

    /// <summary>The most records of the export, or null.</summary>
    public long? MaxRecords { get; init; }

    /// <summary>The most stored bytes of all its files, or null.</summary>
    public long? MaxBytes { get; init; }
}
