namespace ClaimCheck.Adapter.Tables;

/// <summary>A route's destination in a consumer's own Postgres table, checked as far as the settings alone allow.</summary>
internal sealed record TableDestination : Destination
{
    public required string ConnectionString { get; init; }

    public required TableName Table { get; init; }

    /// <summary>The dataset's columns and the table's; null where all have the same names.</summary>
    public IReadOnlyDictionary<string, string>? Columns { get; init; }

    /// <summary>The table's columns that name a record; null for the one of the dataset's key.</summary>
    public IReadOnlyList<string>? Key { get; init; }

    /// <summary>Whether an existing record is left as it is; otherwise it is replaced.</summary>
    public bool Ignores { get; init; }

    public required int ChunkSize { get; init; }

    /// <summary>The table's column that says which batch loaded a record last, or null.</summary>
    public string? BatchColumn { get; init; }

    /// <summary>Whether a revocation deletes the records that the batch loaded last.</summary>
    public bool DeletesRevoked { get; init; }

    public bool RetryTransient { get; init; }

    public required TimeSpan Lease { get; init; }

    /// <summary>The table only: the rest contains a password.</summary>
    public override string ToString() => $"table {Table}";
}
