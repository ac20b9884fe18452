namespace ClaimCheck.Service.Sources;

/// <summary>Cuts a table into ranges of its pages, which several connections read side by side.</summary>
/// <remarks>
/// Every row version that the snapshot sees lies on one page and stays there: an UPDATE writes a new version, which the snapshot
/// does not see, and VACUUM FULL, CLUSTER and TRUNCATE wait for the lock that is taken first. So each row is in exactly one
/// range.
/// </remarks>
internal static class TableRanges
{
    private const int MostRanges = 1_000;

    // Range scans of ctid exist from this version on; before it each range would read the whole table.
    private const int FirstVersion = 140_000;

    private const string Sql = """
        SELECT c.relkind::text, c.relkind = 'p' OR coalesce(m.amname = 'heap', false), c.oid::regclass::text,
               pg_relation_size(c.oid), current_setting('block_size')::bigint, current_setting('server_version_num')::int,
               row_security_active(c.oid)
               OR (c.relkind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid))
          FROM pg_catalog.pg_class c
          LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
         WHERE c.oid = to_regclass($1)
        """;

    private const string Leaves = """
        SELECT t.relid::regclass::text, pg_relation_size(t.relid), coalesce(m.amname = 'heap', false) AND c.relkind = 'r',
               has_table_privilege(t.relid, 'SELECT') AND NOT c.relrowsecurity
          FROM pg_catalog.pg_partition_tree(to_regclass($1)) t
          JOIN pg_catalog.pg_class c ON c.oid = t.relid
          LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
         WHERE t.isleaf
         ORDER BY 1
        """;

    /// <summary>The ranges; one stream where the table can't be cut, or is too small to
    /// be. Locks what they read.</summary>
    /// <param name="connection">A transaction whose snapshot is not shared yet.</param>
    /// <param name="query">The table.</param>
    /// <param name="request">What is to be cut.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<RangeCut> PlanAsync(
        NpgsqlConnection connection, TableQuery query, CutRequest request, CancellationToken cancellationToken)
    {
        if (query.Where is { } where
            && await SessionDependence.IsPossibleAsync(connection, [where], cancellationToken))
            return RangeCut.None;
        var names = request.Columns.Select(column => column.Name).ToList();
        long pageBytes;
        var tables = new List<(string Name, long Bytes, bool IsHeap)>();
        await using (var command = Command(connection, Sql, query.Table))
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken) || reader.GetInt32(5) < FirstVersion || reader.GetBoolean(6)
                || reader.GetString(0) is not ("r" or "p") || !reader.GetBoolean(1))
                return RangeCut.None;
            pageBytes = reader.GetInt64(4);
            if (reader.GetString(0) == "r")
                tables.Add((reader.GetString(2), reader.GetInt64(3), true));
        }

        if (tables.Count == 0)
        {
            await using var command = Command(connection, Leaves, query.Table);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                if (!reader.GetBoolean(3))
                    return RangeCut.None;
                tables.Add((reader.GetString(0), reader.GetInt64(1), reader.GetBoolean(2)));
            }
        }

        var bytes = tables.Sum(table => table.Bytes);
        if (bytes < 2 * request.RangeBytes)
            return RangeCut.None;
        await using (var locking = new NpgsqlCommand(
            $"LOCK TABLE {string.Join(", ", tables.Select(table => table.Name))} IN ACCESS SHARE MODE", connection))
            await locking.ExecuteNonQueryAsync(cancellationToken);
        var pages = Math.Max(request.RangeBytes, bytes / MostRanges) / pageBytes;
        return new(
            RangesBy.Ctid, [.. tables.SelectMany(table => Cut(query, names, table, pages, pageBytes)).Select(request.Render)]);
    }

    // The last range is open: pages that were added since hold nothing that the snapshot sees, and cost nothing.
    private static IEnumerable<string> Cut(
        TableQuery query, IReadOnlyList<string> columns, (string Name, long Bytes, bool IsHeap) table, long pages, long pageBytes)
    {
        var all = table.IsHeap ? table.Bytes / pageBytes : 0;
        var from = 0L;
        for (; from + pages < all; from += pages)
            yield return query.Range(table.Name, columns, from, from + pages);
        yield return query.Range(table.Name, columns, from, null);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, string table) =>
        new(sql, connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = table } } };
}
