using System.Data;

namespace ClaimCheck.Service.Sources;

/// <summary>The planner's account of a query, which is not run.</summary>
internal static class QueryPlan
{
    // A plan takes some kilobytes. But the planner computes what is constant, and shows it whole: array_fill(1, ARRAY[20000000])
    // is 40 MB of text.
    private const int MostCharacters = 4 << 20;

    // Three levels for each node of the plan.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 3_000 };

    /// <param name="connection">The source, in a transaction.</param>
    /// <param name="options">Those of <c>EXPLAIN</c>, beside the format: <c>VERBOSE, COSTS OFF</c>.</param>
    /// <param name="sql">The query, with its values.</param>
    /// <returns>The plan, or null where it is too large to be read.</returns>
    public static async Task<JsonElement?> ReadAsync(
        NpgsqlConnection connection, string options, string sql, CancellationToken cancellationToken)
    {
        // A batch, because Npgsql would otherwise rewrite the text in search of parameters.
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"EXPLAIN ({options}, FORMAT JSON) {sql}"));
        await using var reader = await batch.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
        await reader.ReadAsync(cancellationToken);
        using var text = await reader.GetTextReaderAsync(0, cancellationToken);
        var all = new StringBuilder();
        var some = new char[4096];
        for (int count; (count = await text.ReadBlockAsync(some, cancellationToken)) > 0;)
        {
            if (all.Append(some, 0, count).Length > MostCharacters)
                return null;
        }

        try
        {
            using var plan = JsonDocument.Parse(all.ToString(), Deep);
            return plan.RootElement[0].GetProperty("Plan").Clone();
        }
        catch (JsonException)
        {
            return null; // too deep
        }
    }
}
