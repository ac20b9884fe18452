using System.Text.Json;

namespace ClaimCheck.Contracts;

/// <summary>A parameter of a dataset.</summary>
/// <param name="Type">Its Postgres type, for example <c>timestamptz</c>.</param>
/// <param name="Required">Whether an export must give it; one left out is NULL.</param>
public sealed record DatasetParameter(string Type, bool Required);

/// <summary>A dataset's definition of success.</summary>
/// <param name="Consumers">Who is to get each batch.</param>
/// <param name="Within">By when, counted from ready, as an ISO 8601 duration; null where it may take for ever.</param>
/// <param name="MaxTerminalRatio">Which share of the records may fail for good, 0 to 1; null means any.</param>
public sealed record DatasetDelivery(IReadOnlyList<string> Consumers, string? Within, double? MaxTerminalRatio);

/// <summary>What can be exported, as <c>GET /v1/datasets/{name}</c> answers it.</summary>
public sealed record DatasetInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its title for people, or its name.</summary>
    public required string Title { get; init; }

    /// <summary>Raised by the operator when the records' shape changes.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>The column whose value, as text, names a record.</summary>
    public required string Key { get; init; }

    /// <summary>The column in whose order the records come, or null where no order is promised.</summary>
    public string? OrderedBy { get; init; }

    /// <summary>Its parameters, by name.</summary>
    public required IReadOnlyDictionary<string, DatasetParameter> Parameters { get; init; }

    /// <summary>The formats it can be exported in.</summary>
    public required IReadOnlyList<string> Formats { get; init; }

    /// <summary>The compressions it can be exported with.</summary>
    public required IReadOnlyList<string> Compressions { get; init; }

    /// <summary>Its columns; null while the source has never been reached.</summary>
    public IReadOnlyList<Column>? Columns { get; init; }

    /// <summary>JSON Schema of a record in <c>ndjson</c>; null while the source has never been reached.</summary>
    public JsonElement? RecordSchema { get; init; }

    /// <summary>How long links live unless the export says otherwise, as an ISO 8601 duration.</summary>
    public required string LinkLifetime { get; init; }

    /// <summary>How long files are kept unless the export says otherwise, as an ISO 8601 duration.</summary>
    public required string Retention { get; init; }

    /// <summary>Its definition of success, or null.</summary>
    public DatasetDelivery? Delivery { get; init; }

    /// <summary>False while its source can't be reached: exports of it answer 503.</summary>
    public required bool Available { get; init; }

    /// <summary>What can be done next.</summary>
    public required DatasetLinks Links { get; init; }
}

/// <summary>What can be done next with a dataset. Addresses are absolute.</summary>
/// <param name="Self">The dataset itself.</param>
/// <param name="Exports">Its exports; POST makes one.</param>
public sealed record DatasetLinks(string Self, string Exports);
