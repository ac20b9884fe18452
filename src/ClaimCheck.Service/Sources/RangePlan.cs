namespace ClaimCheck.Service.Sources;

/// <summary>A query's plan as far as ranges of the key are concerned.</summary>
internal sealed class RangePlan
{
    // These return the same rows in every session of a snapshot, if the expressions in them do. Not so LIMIT, windows, DISTINCT
    // ON and aggregates, which depend on the order of rows; nor functions, foreign tables and locks.
    private static readonly HashSet<string> Same = new(StringComparer.Ordinal)
    {
        "Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan", "BitmapAnd", "BitmapOr",
        "Nested Loop", "Hash Join", "Merge Join", "Hash", "Sort", "Incremental Sort", "Materialize", "Memoize", "Gather",
        "Gather Merge", "Append", "Merge Append", "Subquery Scan", "Result",
    };

    // Properties of a node whose text is a name. Every other text is treated as an expression.
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "Node Type", "Parent Relationship", "Subplan Name", "Schema", "Relation Name", "Alias", "Index Name", "Join Type",
        "Scan Direction", "Strategy", "Partial Mode", "Cache Mode",
    };

    private readonly List<JsonElement> nodes = [];

    /// <param name="root">Read with <c>VERBOSE</c> and costs.</param>
    public RangePlan(JsonElement root)
    {
        Cost = root.GetProperty("Total Cost").GetDouble();
        Collect(root);
    }

    /// <summary>The planner's estimate of the work.</summary>
    public double Cost { get; }

    /// <summary>Whether each of its steps returns the same rows in every session, if its expressions do.</summary>
    public bool HasOnlySameSteps => nodes.TrueForAll(node => Same.Contains(TypeOf(node)));

    /// <summary>All expressions.</summary>
    public IEnumerable<string> Expressions => nodes
        .SelectMany(node => node.EnumerateObject())
        .Where(property => !Names.Contains(property.Name))
        .SelectMany(property => property.Value.ValueKind switch
        {
            JsonValueKind.String => [property.Value.GetString()!],
            JsonValueKind.Array => property.Value.EnumerateArray()
                .Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!),
            _ => (IEnumerable<string>)[],
        });

    /// <summary>Whether one of these tables is read, and each only by an index with a condition on the column; or none is,
    /// because the planner knows that no row qualifies.</summary>
    /// <param name="tables">Their names, <c>schema.table</c>, not quoted.</param>
    /// <param name="column">The column, quoted where Postgres would quote it.</param>
    public bool ReachesIndexOf(IReadOnlySet<string> tables, string column)
    {
        var scans = nodes.Where(node => node.TryGetProperty("Relation Name", out var name)
            && tables.Contains($"{node.GetProperty("Schema").GetString()}.{name.GetString()}")).ToList();
        return scans.Count > 0
            ? scans.TrueForAll(scan =>
                Mentions(scan, "Index Cond", column)
                || (TypeOf(scan) == "Bitmap Heap Scan" && Mentions(scan, "Recheck Cond", column)))
            : nodes.Exists(node => node.TryGetProperty("One-Time Filter", out var filter) && filter.GetString() == "false");
    }

    private static bool Mentions(JsonElement node, string property, string column) =>
        node.TryGetProperty(property, out var condition)
        && condition.GetString()!.Contains(column, StringComparison.Ordinal);

    private static string TypeOf(JsonElement node) => node.GetProperty("Node Type").GetString()!;

    private void Collect(JsonElement node)
    {
        nodes.Add(node);
        if (node.TryGetProperty("Plans", out var plans))
        {
            foreach (var below in plans.EnumerateArray())
                Collect(below);
        }
    }
}
