namespace ClaimCheck.Contracts;

/// <summary>A parameter of a dataset.</summary>
/// <param name="Type">Its Postgres type, for example <c>timestamptz</c>.</param>
/// <param name="Required">Whether an export must give it; one left out is NULL.</param>
public sealed record DatasetParameter(string Type, bool Required);

/// <summary>A dataset's definition of success.</summary>
/// <param name="Consumers">The consumers that must get each batch.</param>
/// <param name="Within">The time limit, counted from ready, as an ISO 8601 duration; null where there is none.</param>
/// <param name="MaxTerminalRatio">Which share of the records may have terminal failures, 0 to 1; null means any.</param>
public sealed record DatasetDelivery(IReadOnlyList<string> Consumers, string? Within, double? MaxTerminalRatio);

/// <summary>A dataset that can be exported, as returned by <c>GET /v1/datasets/{name}</c>.</summary>
public sealed record DatasetInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its title for people, or its name.</summary>
    public required string Title { get; init; }

    /// <summary>Raised by the operator when the records' shape changes; 0 where its definition could never be read.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>The column whose value, as text, names a record; null where its definition could never be read.</summary>
    public string? Key { get; init; }

    /// <summary>The column that the records are ordered by, or null where no order is guaranteed.</summary>
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

    /// <summary>How long links live unless the export says otherwise, as an ISO 8601 duration; null where its definition could
    /// never be read.</summary>
    public string? LinkLifetime { get; init; }

    /// <summary>How long files are kept unless the export says otherwise, as an ISO 8601 duration; null where its definition
    /// could never be read.</summary>
    public string? Retention { get; init; }

    /// <summary>Its definition of success, or null.</summary>
    public DatasetDelivery? Delivery { get; init; }

    /// <summary>The most records of an export; one with more fails, <c>export_too_large</c>. Null means unlimited.</summary>
    public long? MaxRecords { get; init; }

    /// <summary>The most bytes of an export's files as they are stored, so after compression; one with more fails,
    /// <c>export_too_large</c>. Null means unlimited.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>
    /// False while its source can't be reached, or something is wrong with it: requests for exports of it get 503.
    /// </summary>
    public required bool Available { get; init; }

    /// <summary>Why it is unavailable, or null.</summary>
    public Unavailability? Unavailable { get; init; }

    /// <summary>What can be done next.</summary>
    public required DatasetLinks Links { get; init; }
}

/// <summary>What can be done next with a dataset. Addresses are absolute.</summary>
/// <param name="Self">The dataset itself.</param>
/// <param name="Exports">Its exports; POST creates one.</param>
public sealed record DatasetLinks(string Self, string Exports);

/// <summary>Why a dataset or an operation can't be used at present.</summary>
/// <param name="Code">A stable code, that of the problem which requests for it get; see <see cref="ProblemCodes"/>.</param>
/// <param name="Detail">What is wrong: for a definition with its file, and the line where that is known.</param>
public sealed record Unavailability(string Code, string Detail);

/// <summary>The answer of <c>POST /v1/datasets/reload</c> and <c>POST /v1/operations/reload</c>.</summary>
/// <param name="Items">Every definition of the folder, and those that are no longer there, sorted by name.</param>
public sealed record ReloadedDefinitions(IReadOnlyList<ReloadedDefinition> Items);

/// <summary>A definition that was read again.</summary>
/// <param name="Name">The name of its files, even where it is not a valid name.</param>
/// <param name="Change">See <see cref="DefinitionChange"/>.</param>
/// <param name="Available">Whether it can be used.</param>
/// <param name="Unavailable">Why it can't be used, or null; null for one that was removed, too.</param>
public sealed record ReloadedDefinition(string Name, string Change, bool Available, Unavailability? Unavailable);

/// <summary>How a definition has changed since it was last read.</summary>
public static class DefinitionChange
{
    /// <summary>It is new.</summary>
    public const string Added = "added";

    /// <summary>A file of it has changed.</summary>
    public const string Changed = "changed";

    /// <summary>Its files are gone.</summary>
    public const string Removed = "removed";

    /// <summary>Its files are unchanged; what its database says may have changed.</summary>
    public const string Unchanged = "unchanged";
}
