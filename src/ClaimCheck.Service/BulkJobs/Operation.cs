using System.Text.Json.Serialization;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>A named statement that bulk jobs apply to items, as the operator defined it. A job keeps the definition that it was
/// created with.</summary>
internal sealed record Operation
{
    public const string ItemForm = "item";
    public const string SetForm = "set";
    public const string PerItem = "item";
    public const string PerChunk = "chunk";
    public const string PerJob = "job";
    public const string ExactlyOnce = "exactlyOnce";
    public const string AtLeastOnce = "atLeastOnce";

    public required string Name { get; init; }
    public required string Title { get; init; }

    /// <summary>The connection string's name.</summary>
    public required string Target { get; init; }
    public required string Form { get; init; }

    /// <summary>The parameter that names an item.</summary>
    public required string Key { get; init; }

    /// <summary>Items per transaction.</summary>
    public required int Chunk { get; init; }
    public required string Atomicity { get; init; }
    public required string Delivery { get; init; }

    /// <summary>How many of its jobs run at a time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>In the order of the definition.</summary>
    public required IReadOnlyList<Dataset.Parameter> Parameters { get; init; }

    /// <summary>The statement, without its trailing <c>;</c>.</summary>
    public required string Sql { get; init; }

    [JsonIgnore]
    public int KeyPlace => Enumerable.Range(0, Parameters.Count).First(place => Parameters[place].Name == Key);

    /// <summary>The types of the parameters.</summary>
    [JsonIgnore]
    public PostgresType[] Types => [.. Parameters.Select(parameter => PostgresType.Of(parameter.Type))];

    [JsonIgnore]
    public bool IsSet => Form == SetForm;

    [JsonIgnore]
    public bool IsExactlyOnce => Delivery == ExactlyOnce;
}
