namespace ClaimCheck.Service.Sources;

/// <summary>What is to be cut into ranges.</summary>
internal sealed record CutRequest
{
    /// <summary>The whole query, with its values.</summary>
    public required string Sql { get; init; }

    /// <summary>The table that it reads, where the dataset is one.</summary>
    public TableQuery? Table { get; init; }

    /// <summary>Puts values in place of <c>:parameters</c>.</summary>
    public required Func<string, string> Render { get; init; }

    /// <summary>The columns of the query.</summary>
    public required IReadOnlyList<ResultColumn> Columns { get; init; }

    /// <summary>Its key.</summary>
    public required ResultColumn Key { get; init; }

    /// <summary>The column that the records are ordered by, or null.</summary>
    public string? OrderedBy { get; init; }

    /// <summary>How much of its table a range has.</summary>
    public required long RangeBytes { get; init; }
}
