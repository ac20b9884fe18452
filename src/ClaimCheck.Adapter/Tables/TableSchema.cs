namespace ClaimCheck.Adapter.Tables;

/// <summary>Inspects the table, and determines how a dataset's columns are loaded into it, or why they can't be.</summary>
internal sealed class TableSchema(TableDestination destination)
{
    private sealed record TableColumn(string Name, string Type, string Base, bool IsWritten, bool IsRequired);

    /// <exception cref="TableException">The table does not fit; the message has all faults.</exception>
    public async Task<LoadPlan> PlanAsync(
        NpgsqlConnection connection, IReadOnlyList<Column> dataset, string datasetKey, CancellationToken cancellationToken)
    {
        var table = await ReadColumnsAsync(connection, cancellationToken);
        if (table.Count == 0)
            throw Mismatch([$"the table does not exist, or this role can't see it"]);
        var errors = new List<string>();
        var columns = dataset.Select(column => Target(column.Name, table, errors)).ToList();
        foreach (var name in (destination.Columns?.Keys ?? []).Where(name => dataset.All(column => column.Name != name)))
            errors.Add($"Columns names '{name}', which the dataset does not have");
        var names = columns.Select(column => column.Name).OfType<string>().ToList();
        foreach (var missing in table.Values.Where(column =>
            column.IsRequired && !names.Contains(column.Name, StringComparer.Ordinal) && column.Name != destination.BatchColumn))
            errors.Add($"its column '{missing.Name}' does not allow NULL and has no default, but nothing is loaded into it");
        var batchIsUuid = CheckBatchColumn(table, names, errors);
        var key = KeyOf(dataset, datasetKey, columns, names, errors);
        if (errors.Count == 0 && !await IsUniqueAsync(connection, key, cancellationToken))
        {
            errors.Add(
                $"it has no unique index or constraint over exactly ({string.Join(", ", key)}), not partial and not deferrable: "
                + "a record that comes again would be inserted twice. Create one, or set Key");
        }

        return errors.Count == 0 ? new(destination, columns, key, batchIsUuid) : throw Mismatch(errors);
    }

    private LoadColumn Target(string column, Dictionary<string, TableColumn> table, List<string> errors)
    {
        var name = destination.Columns is null ? column : destination.Columns.GetValueOrDefault(column);
        if (name is null)
            return new(null, null, null);
        if (!table.TryGetValue(name, out var target))
        {
            errors.Add($"it has no column '{name}' for the dataset's '{column}'");
            return new(null, null, null);
        }

        if (!target.IsWritten)
            errors.Add($"its column '{name}' is generated always, and can't be loaded into");
        return new(name, target.Type, target.Base);
    }

    private bool CheckBatchColumn(Dictionary<string, TableColumn> table, List<string> names, List<string> errors)
    {
        if (destination.BatchColumn is not { } name)
            return false;
        if (names.Contains(name, StringComparer.Ordinal))
            errors.Add($"BatchColumn '{name}' is one that the dataset is loaded into");
        if (table.GetValueOrDefault(name) is not { Type: "text" or "character varying" or "uuid" } column)
        {
            errors.Add($"BatchColumn '{name}' must be a column of type text, varchar or uuid");
            return false;
        }

        return column.Type == "uuid";
    }

    private IReadOnlyList<string> KeyOf(
        IReadOnlyList<Column> dataset, string datasetKey, List<LoadColumn> columns, List<string> names, List<string> errors)
    {
        if (destination.Key is { } key)
        {
            foreach (var name in key.Where(name => !names.Contains(name, StringComparer.Ordinal)))
                errors.Add($"Key names '{name}', into which nothing is loaded");
            return key;
        }

        var place = dataset.Index().FirstOrDefault(each => each.Item.Name == datasetKey, (-1, null!)).Index;
        if (place >= 0 && columns[place].Name is { } own)
            return [own];
        errors.Add($"the dataset's key '{datasetKey}' is not loaded: map it, or set Key");
        return [];
    }

    private async Task<Dictionary<string, TableColumn>> ReadColumnsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        const string sql = """
            WITH RECURSIVE bases (type, base) AS (
                SELECT oid, oid FROM pg_type WHERE oid IN (SELECT atttypid FROM pg_attribute WHERE attrelid = to_regclass(@table))
                UNION ALL
                SELECT bases.type, t.typbasetype FROM bases JOIN pg_type AS t ON t.oid = bases.base AND t.typtype = 'd')
            SELECT a.attname, format_type(a.atttypid, -1), a.attgenerated = '' AND a.attidentity <> 'a',
                   a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',
                   (SELECT format_type(base, -1) FROM bases JOIN pg_type AS t ON t.oid = bases.base
                     WHERE bases.type = a.atttypid AND t.typtype <> 'd')
              FROM pg_attribute AS a
              JOIN pg_class AS c ON c.oid = a.attrelid
             WHERE c.oid = to_regclass(@table) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("table", destination.Table.Sql);
        var columns = new Dictionary<string, TableColumn>(StringComparer.Ordinal);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            columns[reader.GetString(0)] = new(
                reader.GetString(0), reader.GetString(1), reader.GetString(4), reader.GetBoolean(2), reader.GetBoolean(3));
        return columns;
    }

    private async Task<bool> IsUniqueAsync(
        NpgsqlConnection connection, IReadOnlyList<string> key, CancellationToken cancellationToken)
    {
        // What ON CONFLICT can name: columns only, all of the index's, in any order.
        const string sql = """
            SELECT EXISTS (
                       SELECT 1
                         FROM pg_index AS i
                        WHERE i.indrelid = to_regclass(@table) AND i.indisunique AND i.indisvalid AND i.indimmediate
                          AND i.indpred IS NULL AND i.indexprs IS NULL
                          AND (SELECT array_agg(a.attname::text ORDER BY a.attname::text)
                                 FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
                                 JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                                WHERE k.place <= i.indnkeyatts)
                            = (SELECT array_agg(name ORDER BY name) FROM unnest(@key) AS name))
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("table", destination.Table.Sql);
        command.Parameters.AddWithValue("key", key.ToArray());
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private TableException Mismatch(IEnumerable<string> errors) =>
        new(TableException.Mismatch, $"Table {destination.Table} can't be loaded into: {string.Join("; ", errors)}.");
}
