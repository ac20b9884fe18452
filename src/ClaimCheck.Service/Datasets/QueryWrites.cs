namespace ClaimCheck.Service.Datasets;

/// <summary>Finds what a query would write: it could only fail in the read-only snapshot that exports are read in. The planner is
/// asked for the query's plan, which also covers views and simple functions. It can't see what the body of a function in another
/// language does: that fails the export.</summary>
internal static class QueryWrites
{
    // The functions that Postgres itself refuses in a read-only transaction (PreventCommandIfReadOnly), and those that write
    // large objects before version 16.
    private static readonly HashSet<string> Writers = new(StringComparer.OrdinalIgnoreCase)
    {
        "nextval", "setval", "lo_creat", "lo_create", "lo_from_bytea", "lo_import", "lo_put", "lo_truncate", "lo_truncate64",
        "lo_unlink", "lowrite",
    };

    /// <returns>What writes, as the end of a sentence, or null.</returns>
    public static string? In(SourceSql query, JsonElement plan)
    {
        if (query.WordsAtTop.Contains("into", StringComparer.OrdinalIgnoreCase))
            return "its query creates a table (SELECT INTO), but a source is only read";
        if (Called(query.Text) is { } called)
            return Calls(called);
        return InPlan(plan);
    }

    private static string? InPlan(JsonElement node)
    {
        switch (node.ValueKind)
        {
            case JsonValueKind.Array:
                return node.EnumerateArray().Select(InPlan).FirstOrDefault(found => found is not null);
            case JsonValueKind.String:
                return node.GetString() is { } text && Called(text) is { } called ? Calls(called) : null;
            case JsonValueKind.Object when node.TryGetProperty("Node Type", out var type) && type.ValueEquals("ModifyTable"):
                return $"its query writes ({node.GetProperty("Operation").GetString()?.ToUpperInvariant()} in {TableOf(node)}), "
                    + "but a source is only read";
            case JsonValueKind.Object when node.TryGetProperty("Node Type", out var type) && type.ValueEquals("LockRows"):
                return "its query locks rows (FOR UPDATE or FOR SHARE), but a source is only read: leave that out";
            case JsonValueKind.Object:
                return node.EnumerateObject().Select(property => InPlan(property.Value))
                    .FirstOrDefault(found => found is not null);
            default:
                return null;
        }
    }

    private static string Calls(string function) => $"its query calls {function}, which writes, but a source is only read";

    private static string TableOf(JsonElement node) =>
        node.TryGetProperty("Relation Name", out var name) ? name.GetString()! : "a table";

    // A word followed by an opening parenthesis; one in another schema than the system's is a different function.
    private static string? Called(string sql)
    {
        try
        {
            var tokens = SourceSqlLexer.Read(sql);
            for (var i = 0; i + 1 < tokens.Count; i++)
            {
                var word = sql.AsSpan(tokens[i].Start, tokens[i].Length).Trim('"').ToString();
                if (IsSymbol(i + 1, '(') && Writers.Contains(word)
                    && (i < 2 || !IsSymbol(i - 1, '.') || sql.AsSpan(tokens[i - 2].Start, tokens[i - 2].Length).Trim('"')
                        .Equals("pg_catalog", StringComparison.OrdinalIgnoreCase)))
                {
                    return word;
                }
            }

            return null;

            bool IsSymbol(int at, char symbol) => tokens[at].Kind == SqlTokenKind.Symbol && sql[tokens[at].Start] == symbol;
        }
        catch (FormatException)
        {
            return null; // a name in the plan that contains a quote
        }
    }
}
