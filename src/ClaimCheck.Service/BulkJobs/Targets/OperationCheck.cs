using System.Data;
using NpgsqlTypes;

namespace ClaimCheck.Service.BulkJobs.Targets;

/// <summary>Checks an operation's statement against its target, without running it.</summary>
internal static class OperationCheck
{
    /// <returns>What is wrong, as the end of a sentence, and the statement's line where the target names one; null where nothing
    /// is wrong.</returns>
    public static async Task<(string Reason, int? Line)?> FaultAsync(
        NpgsqlConnection connection, Operation operation, CancellationToken cancellationToken)
    {
        var isDescribed = false;
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await using (var pins = new NpgsqlCommand(SessionPins.Block, connection))
                await pins.ExecuteNonQueryAsync(cancellationToken);
            var columns = await DescribeAsync(connection, operation, cancellationToken);
            isDescribed = true;
            if (!operation.IsSet)
            {
                if (columns.Count > 0)
                    return ("its statement returns rows, but one of form item must not: leave RETURNING out", null);
            }
            else if (columns is not [NpgsqlDbType.Integer or NpgsqlDbType.Bigint])
            {
                return ("its statement must return one column, the ordinals of the items it touched: RETURNING i.ordinal", null);
            }

            // Checked once more for its syntax within a function: what passes here can be created by every worker.
            await using var batch = connection.CreateBatch();
            foreach (var function in OperationSql.Functions(operation))
                batch.BatchCommands.Add(new NpgsqlBatchCommand(function));
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await transaction.RollbackAsync(cancellationToken);
            return null;
        }
        catch (PostgresException e) when (e.SqlState[..2] is "42" or "22" or "0A")
        {
            return ($"{operation.Target} refuses the statement: {e.MessageText} ({e.SqlState})",
                isDescribed ? null : LineOf(e, operation));
        }
    }

    // The placeholders of parameters add no lines.
    private static int? LineOf(PostgresException e, Operation operation)
    {
        var sql = OperationSql.Probe(operation);
        var start = operation.IsSet ? sql.IndexOf(operation.Sql, StringComparison.Ordinal) : 0;
        return start >= 0 && e.Position > start && e.Position <= sql.Length
            ? sql.AsSpan(start, e.Position - 1 - start).Count('\n') + 1
            : null;
    }

    private static async Task<List<NpgsqlDbType?>> DescribeAsync(
        NpgsqlConnection connection, Operation operation, CancellationToken cancellationToken)
    {
        // A batch, because Npgsql would otherwise rewrite the text in search of parameters.
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(OperationSql.Probe(operation)));
        await using var reader = await batch.ExecuteReaderAsync(CommandBehavior.SchemaOnly, cancellationToken);
        var columns = new List<NpgsqlDbType?>();
        foreach (Npgsql.Schema.NpgsqlDbColumn column in await reader.GetColumnSchemaAsync(cancellationToken))
            columns.Add(column.NpgsqlDbType);
        return columns;
    }
}
