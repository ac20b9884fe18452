using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Tables;

/// <summary>A column of the dataset, and where it goes.</summary>
/// <param name="Name">The table's column; null where it is left out.</param>
/// <param name="Type">That column's type, without length or precision.</param>
internal sealed record LoadColumn(string? Name, string? Type);

/// <summary>
/// The statements that load one batch into one table. A chunk goes into a temporary table of the target's own types as the bytes that
/// it was written in, and from there in one statement. Where that fails it goes into another of texts, numbered, from which any run of
/// records can be taken by itself.
/// </summary>
internal sealed class LoadPlan
{
    public const string Copy = "COPY pg_temp.claimcheck_stage FROM STDIN (FORMAT csv, ENCODING 'UTF8')";
    public const string CopyNumbered = "COPY pg_temp.claimcheck_numbered FROM STDIN (FORMAT csv, ENCODING 'UTF8')";

    private readonly TableDestination destination;
    private readonly IReadOnlyList<LoadColumn> columns;
    private readonly IReadOnlyList<string> key;

    public LoadPlan(TableDestination destination, IReadOnlyList<LoadColumn> columns, IReadOnlyList<string> key, bool batchIsUuid)
    {
        (this.destination, this.columns, this.key, BatchIsUuid) = (destination, columns, key, batchIsUuid);
        Stage = StageSql();
        StageNumbered = $"CREATE TEMP TABLE IF NOT EXISTS claimcheck_numbered (ordinal integer PRIMARY KEY, {Join((_, i) => $"c{i} text")}) ON COMMIT DROP";
        Upsert = $"{Into()} SELECT {Values((_, i) => $"s.c{i}")} FROM pg_temp.claimcheck_stage AS s {OnConflict()}";
        UpsertRange = UpsertRangeSql();
    }

    public bool BatchIsUuid { get; }

    public bool MarksBatch => destination.BatchColumn is not null;

    /// <summary>Makes the temporary table, for as long as the connection lives.</summary>
    public string Stage { get; }

    /// <summary>Makes the one of numbered texts, for the transaction.</summary>
    public string StageNumbered { get; }

    public string Upsert { get; }

    /// <summary>Takes the records from <c>@from</c> up to <c>@to</c>. Of several with one key the last counts, as if they came one by one.</summary>
    public string UpsertRange { get; }

    /// <summary>What marks the records of a batch.</summary>
    public object Mark(BatchId batch) => BatchIsUuid ? batch.Value : batch.ToString();

    // CREATE TABLE AS takes types and collations, and no constraint.
    private string StageSql() => $"""
        DROP TABLE IF EXISTS pg_temp.claimcheck_stage;
        CREATE TEMP TABLE claimcheck_stage ON COMMIT DELETE ROWS AS
        SELECT {Join((column, i) => column.Name is null ? $"NULL::text AS c{i}" : $"t.{TableName.Quote(column.Name)} AS c{i}")}
          FROM {destination.Table.Sql} AS t
          WITH NO DATA
        """;

    private string UpsertRangeSql()
    {
        var keys = string.Join(", ", key.Select(name => Cast(columns.Index().First(each => each.Item.Name == name))));
        return $"""
            {Into()}
            SELECT DISTINCT ON ({keys}) {Values((column, i) => Cast((i, column)))}
              FROM pg_temp.claimcheck_numbered AS s
             WHERE s.ordinal >= @from AND s.ordinal < @to
             ORDER BY {keys}, s.ordinal {(destination.Ignores ? "ASC" : "DESC")}
            {OnConflict()}
            """;
    }

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
        return destination.Ignores || sets.Length == 0 ? $"ON CONFLICT ({arbiter}) DO NOTHING" : $"ON CONFLICT ({arbiter}) DO UPDATE SET {sets}";
    }

    private string Join(Func<LoadColumn, int, string> column) => string.Join(", ", columns.Select(column));

    private static string Cast((int Index, LoadColumn Item) column) => $"s.c{column.Index}::{column.Item.Type}";
}
