using NpgsqlTypes;

namespace ClaimCheck.Service.Sources;

/// <summary>Whether the source itself guarantees that no two records have one key: by a unique index on just that column, of the
/// one table, partitioned or not, whose rows the query reads, each once. In any other case the keys are compared.</summary>
internal static class UniqueKeyCheck
{
    // Types where equal texts are equal values, so that an index on values holds for texts too (pg_type.dat: bool, bytea, name,
    // int8, int2, int4, text, oid, float4, float8, bpchar, varchar, date, timestamp, timestamptz, numeric, uuid).
    private static readonly HashSet<uint> Exact =
        [16, 17, 19, 20, 21, 23, 25, 26, 700, 701, 1042, 1043, 1082, 1114, 1184, 1700, 2950];

    // Types where equal values are also equal texts, so that sorted ones are neighbours: not numeric (1.0 and 1.00), or char(n)
    // without its n.
    private static readonly HashSet<uint> Unambiguous = [16, 17, 19, 20, 21, 23, 26, 1082, 1114, 1184, 2950];
    private static readonly HashSet<uint> Collated = [25, 1043];

    // Plan nodes that pass on rows of their child, none of them twice.
    private static readonly HashSet<string> Passing = new(StringComparer.Ordinal)
    {
        "Sort", "Incremental Sort", "Limit", "Gather", "Gather Merge", "Result", "Materialize", "LockRows", "Unique", "WindowAgg",
        "Subquery Scan",
    };

    private static readonly HashSet<string> Scans = new(StringComparer.Ordinal)
    {
        "Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Sample Scan", "Tid Scan", "Tid Range Scan",
    };

    /// <param name="connection">A connection in the snapshot.</param>
    /// <param name="sql">The query.</param>
    public static async Task<bool> VouchesAsync(
        NpgsqlConnection connection, string sql, ResultColumn key, CancellationToken cancellationToken)
    {
        if (key.Table == 0 || !Exact.Contains(key.Value.Oid))
            return false;
        // The plan first: the tables that it reads are locked then, and the index can't be dropped before the end of the
        // transaction.
        return await QueryPlan.ReadAsync(connection, "VERBOSE", sql, cancellationToken) is { } plan
            && Scanned(plan) is { Count: > 0 } scanned
            && await IsUniqueAsync(connection, key, scanned, cancellationToken);
    }

    /// <summary>Whether records that are sorted by their key have equal keys side by side.</summary>
    public static async Task<bool> AreNeighboursAsync(
        NpgsqlConnection connection, ResultColumn key, CancellationToken cancellationToken)
    {
        if (Unambiguous.Contains(key.Value.Oid))
            return true;
        if (!Collated.Contains(key.Value.Oid))
            return false;
        if (connection.PostgreSqlVersion.Major < 12)
            return true; // for every collation, bytes decide in the end
        // A collation may treat "a" and "A" as equal; whether the key uses it is not worth finding out.
        await using var command = new NpgsqlCommand(
            "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_collation WHERE NOT collisdeterministic)", connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    // The table that the rows come from, or the partitions of one, each once; null where they come in another way.
    private static List<string>? Scanned(JsonElement node)
    {
        var type = node.GetProperty("Node Type").GetString()!;
        if (Scans.Contains(type))
        {
            return [$"{SourceQuery.Identifier(node.GetProperty("Schema").GetString()!)}."
                + SourceQuery.Identifier(node.GetProperty("Relation Name").GetString()!)];
        }

        // Subqueries in expressions return values, not rows.
        var below = !node.TryGetProperty("Plans", out var plans)
            ? []
            : plans.EnumerateArray()
                .Where(plan => plan.GetProperty("Parent Relationship").GetString() is not ("InitPlan" or "SubPlan")).ToList();
        if (Passing.Contains(type))
            return below is [var only] ? Scanned(only) : null;
        if (type is not ("Append" or "Merge Append"))
            return null;
        var all = below.Select(Scanned).ToList();
        var tables = all.OfType<List<string>>().SelectMany(some => some).ToList();
        return all.Contains(null) || tables.Distinct(StringComparer.Ordinal).Count() != tables.Count ? null : tables;
    }

    private static async Task<bool> IsUniqueAsync(
        NpgsqlConnection connection, ResultColumn key, List<string> scanned, CancellationToken cancellationToken)
    {
        // Checked at each statement, not at the commit; over all rows, of just this column, by the column's own equality. That of
        // a partitioned table holds over all its partitions.
        await using var command = connection.CreateCommand();
        command.CommandText = """
            WITH RECURSIVE parts (relid) AS (
                SELECT $1
                UNION ALL
                SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN parts ON i.inhparent = parts.relid
            )
            SELECT EXISTS (
                       SELECT
                         FROM pg_catalog.pg_class c
                        WHERE c.oid = $1
                          AND CASE c.relkind
                                   WHEN 'p' THEN NOT EXISTS (
                                       SELECT FROM unnest($3) AS scanned (name)
                                        WHERE to_regclass(name) NOT IN (SELECT relid FROM parts))
                                   ELSE c.relkind IN ('r', 'm') AND cardinality($3) = 1 AND to_regclass($3[1]) = c.oid
                              END
                          AND EXISTS (
                                  SELECT
                                    FROM pg_catalog.pg_index i
                                    JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
                                   WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
                                     AND i.indisready AND i.indislive
                                     AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = $2
                                     AND o.oid < 16384))
            """;
        command.Parameters.Add(new NpgsqlParameter<uint> { TypedValue = key.Table, NpgsqlDbType = NpgsqlDbType.Oid });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = key.Number });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. scanned] });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
