using NpgsqlTypes;

namespace ClaimCheck.Service.Sources;

/// <summary>Cuts a query into ranges of its key, which several connections read side by side.</summary>
/// <remarks>
/// The restriction is outside the query, so a record is in the range that its key is in, and in no other: ranges begin where the
/// one before ends, compared by the database in the key's own type and collation, and NULL is a range of its own. That holds for
/// queries that return the same rows in every session of a snapshot; and it pays where the restriction reaches an index.
/// </remarks>
internal static class KeyRanges
{
    private const int MostRanges = 1_000;

    // The table's pages that boundaries are taken from, for each range and in all.
    private const int SampledPages = 30;
    private const int MostSampledPages = 10_000;

    // How much more all ranges may cost than the whole, as the planner sees it. It charges about twice as much for reading a
    // table in the order of an index as for reading it as it lies, and a multiple of that where keys are
    // scattered over the table.
    private const double MostCost = 3;

    // Types whose texts give the value back: smallint, integer, bigint, numeric, text, varchar, uuid, date,
    // timestamp, timestamptz, bytea.
    private static readonly Dictionary<uint, string> Types = new()
    {
        [21] = "smallint",
        [23] = "integer",
        [20] = "bigint",
        [1700] = "numeric",
        [25] = "text",
        [1043] = "text",
        [2950] = "uuid",
        [1082] = "date",
        [1114] = "timestamp",
        [1184] = "timestamptz",
        [17] = "bytea",
    };

    // Words after ORDER BY with which records would not ascend by the key.
    private static readonly HashSet<string> Orders =
        new(StringComparer.OrdinalIgnoreCase) { "desc", "nulls", "using", "collate" };

    private const string Describe = """
        SELECT c.oid::regclass::text, quote_ident(a.attname),
               (SELECT array_agg(n.nspname || '.' || t.relname)
                  FROM tables t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace),
               (SELECT coalesce(sum(pg_relation_size(t.oid)), 0)::bigint FROM tables t), current_setting('block_size')::bigint
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = $2
         WHERE c.oid = $1
           AND (c.relkind = 'p'
                OR (c.relkind IN ('r', 'm') AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)))
        """;

    private const string WithTables = """
        WITH RECURSIVE parts (relid) AS (
            SELECT $1
            UNION ALL
            SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN parts ON i.inhparent = parts.relid
        ), tables AS (
            SELECT t.oid, t.relname, t.relnamespace FROM pg_catalog.pg_class t JOIN parts ON parts.relid = t.oid
        )
        """;

    /// <summary>The ranges in the order of the key; one stream where they can't be made, or would not pay.</summary>
    /// <param name="connection">A transaction whose snapshot is not shared yet. The plans that it reads lock what the query
    /// reads.</param>
    /// <param name="request">What is to be cut.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<RangeCut> PlanAsync(
        NpgsqlConnection connection, CutRequest request, CancellationToken cancellationToken)
    {
        if (!Types.TryGetValue(request.Key.Value.Oid, out var type) || request.Key.Table == 0 || !KeepsOrder(request)
            || SessionDependence.IsPossibleInTexts(request.Sql)
            || await TableAsync(connection, request.Key, cancellationToken) is not { } table)
            return RangeCut.None;
        var count = (int)Math.Min(table.Bytes / request.RangeBytes, MostRanges - 1); // and one of NULL
        if (count < 2
            || await PlanOfAsync(connection, request.Sql, cancellationToken) is not { HasOnlySameSteps: true } whole
            || await SessionDependence.IsPossibleAsync(connection, whole.Expressions, cancellationToken))
            return RangeCut.None;

        var bounds = await BoundsAsync(connection, table, count, cancellationToken);
        if (bounds.Count == 0)
            return RangeCut.None;
        var queries = Conditions(request.Key, type, bounds).Select(condition => Restrict(request, condition)).ToList();
        var cost = 0.0;
        foreach (var (at, times) in ((int, int)[])[(queries.Count / 2, bounds.Count + 1), (queries.Count - 1, 1)])
        {
            if (await PlanOfAsync(connection, queries[at], cancellationToken) is not { } plan
                || !plan.ReachesIndexOf(table.Names, table.Column))
                return RangeCut.None;
            cost += plan.Cost * times;
        }

        return cost <= whole.Cost * MostCost ? new(RangesBy.Key, queries) : RangeCut.None;
    }

    // Ranges follow each other in ascending order of the key. Any other order would be lost, even one that the
    // dataset does not declare.
    private static bool KeepsOrder(CutRequest request)
    {
        var words = SourceSqlLexer.Read(request.Sql).Where(token => token.Kind == SqlTokenKind.Word)
            .Select(token => request.Sql.Substring(token.Start, token.Length)).ToList();
        return request.OrderedBy is null
            ? !words.Contains("order", StringComparer.OrdinalIgnoreCase)
            : request.OrderedBy == request.Key.Name && !words.Exists(Orders.Contains);
    }

    private static IEnumerable<string> Conditions(ResultColumn key, string type, IReadOnlyList<string> bounds)
    {
        var column = $"q.{SourceQuery.Identifier(key.Name)}";
        var literals = bounds.Select(bound => $"CAST({SourceQuery.Quote(bound)} AS {type})").ToList();
        yield return $"{column} < {literals[0]}";
        for (var i = 1; i < literals.Count; i++)
            yield return $"{column} >= {literals[i - 1]} AND {column} < {literals[i]}";
        yield return $"{column} >= {literals[^1]}";
        yield return $"{column} IS NULL";
    }

    // The line break ends a comment that the query may end with.
    private static string Restrict(CutRequest request, string condition) =>
        $"SELECT q.* FROM ({request.Sql}\n) q WHERE {condition}"
        + (request.OrderedBy is null ? "" : $" ORDER BY q.{SourceQuery.Identifier(request.Key.Name)}");

    private static async Task<RangePlan?> PlanOfAsync(
        NpgsqlConnection connection, string sql, CancellationToken cancellationToken) =>
        await QueryPlan.ReadAsync(connection, "VERBOSE", sql, cancellationToken) is { } plan ? new(plan) : null;

    private static async Task<CutTable?> TableAsync(
        NpgsqlConnection connection, ResultColumn key, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"{WithTables}\n{Describe}", connection)
        {
            Parameters =
            {
                new NpgsqlParameter<uint> { TypedValue = key.Table, NpgsqlDbType = NpgsqlDbType.Oid },
                new NpgsqlParameter<short> { TypedValue = key.Number },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<string[]>(2).ToHashSet(StringComparer.Ordinal),
                reader.GetInt64(3), reader.GetInt64(4))
            : null;
    }

    // Of a sample of pages, so they divide the table only roughly; but they are values of the key's type, in the order of its
    // column, each once.
    private static async Task<IReadOnlyList<string>> BoundsAsync(
        NpgsqlConnection connection, CutTable table, int count, CancellationToken cancellationToken)
    {
        var percent = Math.Min(100, 100.0 * Math.Min(count * SampledPages, MostSampledPages) * table.PageBytes / table.Bytes);
        await using var command = new NpgsqlCommand(
            $"""
            SELECT bound::text
              FROM (SELECT percentile_disc($1) WITHIN GROUP (ORDER BY {table.Column}) AS bounds
                      FROM {table.Name} TABLESAMPLE SYSTEM ({percent.ToString("R", CultureInfo.InvariantCulture)})) sampled
             CROSS JOIN unnest(bounds) WITH ORDINALITY AS at (bound, place)
             WHERE bound IS NOT NULL
             GROUP BY bound
             ORDER BY min(place)
            """,
            connection)
        {
            Parameters =
            {
                new NpgsqlParameter<double[]> { TypedValue = [.. Enumerable.Range(1, count - 1).Select(i => (double)i / count)] },
            },
        };
        var bounds = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            bounds.Add(reader.GetString(0));
        return bounds;
    }

    /// <param name="Name">Quoted.</param>
    /// <param name="Column">Its key, quoted where Postgres would quote it.</param>
    /// <param name="Names">It and its partitions.</param>
    /// <param name="Bytes">Of all of them.</param>
    /// <param name="PageBytes">The size of a page.</param>
    private sealed record CutTable(string Name, string Column, IReadOnlySet<string> Names, long Bytes, long PageBytes);
}
