namespace ClaimCheck.Adapter.Tables;

/// <summary>A column of the dataset, and its target.</summary>
/// <param name="Name">The table's column; null where it is left out.</param>
/// <param name="Type">That column's type, without length or precision.</param>
/// <param name="Base">The type that it is a domain of, or itself.</param>
internal sealed record LoadColumn(string? Name, string? Type, string? Base);

/// <summary>
/// The statements that load one batch into one table. A chunk is copied into a temporary table of the target's own types, as the
/// bytes that it was written in, and inserted from there in one statement. Where that fails its parts are loaded in the same way,
/// and finally single records directly into the table: the path for failures needs no more space than the first one.
/// </summary>
internal sealed class LoadPlan
{
    public const string Copy = "COPY pg_temp.claimcheck_stage FROM STDIN (FORMAT csv, ENCODING 'UTF8')";
    public const string Empty = "DELETE FROM pg_temp.claimcheck_stage";

    /// <summary>Deferred constraints must fail where the record at fault can still be determined.</summary>
    public const string Strict = "SET CONSTRAINTS ALL IMMEDIATE";

    private readonly TableDestination destination;
    private readonly IReadOnlyList<LoadColumn> columns;
    private readonly IReadOnlyList<string> key;

    public LoadPlan(TableDestination destination, IReadOnlyList<LoadColumn> columns, IReadOnlyList<string> key, bool batchIsUuid)
    {
        (this.destination, this.columns, this.key, BatchIsUuid) = (destination, columns, key, batchIsUuid);
        Stage = StageSql();
        Upsert = $"{Into()} SELECT {Values((_, i) => $"s.c{i}")} FROM pg_temp.claimcheck_stage AS s {OnConflict()}";
        Insert = $"{Into()} VALUES ({Values((column, i) => $"@c{i}::{column.Type}")}) {OnConflict()}";
        KeyColumns = [.. key.Select(name => columns.Index().First(each => each.Item.Name == name).Index)];
    }

    public bool BatchIsUuid { get; }

    public bool Ignores => destination.Ignores;

    /// <summary>The dataset's columns that are loaded into the key, by index.</summary>
    public IReadOnlyList<int> KeyColumns { get; }

    public bool MarksBatch => destination.BatchColumn is not null;

    /// <summary>Creates the temporary table, for the lifetime of the connection.</summary>
    public string Stage { get; }

    public string Upsert { get; }

    /// <summary>Inserts one record, its fields as the texts <c>@c0</c>, <c>@c1</c> and so on.</summary>
    public string Insert { get; }

    /// <summary>Whether a column of the dataset goes into the table.</summary>
    public bool Loads(int column) => columns[column].Name is not null;

    /// <summary>The base type of the table's column for a column of the dataset; null where it is not loaded.</summary>
    public string? TypeOf(int column) => columns[column].Base;

    /// <summary>The value that marks the records of a batch.</summary>
    public object Mark(BatchId batch) => BatchIsUuid ? batch.Value : batch.ToString();

    // CREATE TABLE AS copies types and collations, but no constraints.
    private string StageSql() => $"""
        DROP TABLE IF EXISTS pg_temp.claimcheck_stage;
        CREATE TEMP TABLE claimcheck_stage ON COMMIT DELETE ROWS AS
        SELECT {Join((column, i) => column.Name is null ? $"NULL::text AS c{i}" : $"t.{TableName.Quote(column.Name)} AS c{i}")}
          FROM {destination.Table.Sql} AS t
          WITH NO DATA
        """;

    private string Into()
    {
        var names = columns.Select(column => column.Name).OfType<string>();
        if (destination.BatchColumn is { } batch)
            names = names.Append(batch);
        return $"INSERT INTO {destination.Table.Sql} ({string.Join(", ", names.Select(TableName.Quote))})";
    }

    private string Values(Func<LoadColumn, int, string> value)
    {
        var values = columns.Select((column, i) => column.Name is null ? null : value(column, i)).OfType<string>();
        if (MarksBatch)
            values = values.Append("@batch");
        return string.Join(", ", values);
    }

    private string OnConflict()
    {
        var arbiter = string.Join(", ", key.Select(TableName.Quote));
        var updated = columns.Select(column => column.Name).OfType<string>().Except(key, StringComparer.Ordinal);
        if (destination.BatchColumn is { } batch)
            updated = updated.Append(batch);
        var sets = string.Join(", ", updated.Select(TableName.Quote).Select(name => $"{name} = excluded.{name}"));
        return destination.Ignores || sets.Length == 0
            ? $"ON CONFLICT ({arbiter}) DO NOTHING"
            : $"ON CONFLICT ({arbiter}) DO UPDATE SET {sets}";
    }

    private string Join(Func<LoadColumn, int, string> column) => string.Join(", ", columns.Select(column));
}
