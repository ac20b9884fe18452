namespace ClaimCheck.Service.Sources;

/// <summary>The <c>where</c> of a dataset that is a table.</summary>
internal static class TableCondition
{
    // A parenthesis may follow these, and nothing is called.
    private static readonly HashSet<string> Syntax = new(StringComparer.OrdinalIgnoreCase)
    {
        "all", "and", "any", "between", "case", "coalesce", "else", "end", "exists", "from", "greatest", "ilike", "in", "is",
        "least", "like", "not", "nullif", "on", "or", "row", "select", "similar", "some", "then", "to", "values", "when", "where",
    };

    // What these say depends on the session and on when its transaction began.
    private static readonly HashSet<string> OfTheSession = new(StringComparer.OrdinalIgnoreCase)
    {
        "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
        "localtime", "localtimestamp", "session_user", "system_user", "user",
    };

    // Texts that become times when a statement is planned.
    private static readonly string[] Times = ["now", "today", "tomorrow", "yesterday"];

    /// <summary>Why this is not one condition, or null.</summary>
    public static string? Fault(string condition)
    {
        try
        {
            var tokens = SourceSqlLexer.Read(condition);
            return tokens.Count == 0 ? "is empty"
                : tokens.Any(token => token.Kind == SqlTokenKind.Symbol && condition[token.Start] == ';')
                    ? "has a semicolon, but must be one condition"
                : null;
        }
        catch (FormatException e)
        {
            return $"can't be read: {e.Message}";
        }
    }

    /// <summary>Whether the condition selects the same rows in every session of a snapshot: all it calls is immutable. When in
    /// doubt, it does not.</summary>
    public static async Task<bool> IsSameInAllSessionsAsync(
        NpgsqlConnection connection, string condition, CancellationToken cancellationToken)
    {
        var tokens = SourceSqlLexer.Read(condition);
        var calls = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < tokens.Count; i++)
        {
            var text = condition.Substring(tokens[i].Start, tokens[i].Length);
            if (tokens[i].Kind == SqlTokenKind.Text && Times.Any(time => text.Contains(time, StringComparison.OrdinalIgnoreCase)))
                return false;
            if (tokens[i].Kind is not (SqlTokenKind.Word or SqlTokenKind.QuotedName))
                continue;
            if (tokens[i].Kind == SqlTokenKind.Word && OfTheSession.Contains(text))
                return false;
            var isCall = i + 1 < tokens.Count && tokens[i + 1].Kind == SqlTokenKind.Symbol
                && condition[tokens[i + 1].Start] == '(';
            if (!isCall || (tokens[i].Kind == SqlTokenKind.Word && Syntax.Contains(text)))
                continue;
            calls.Add(tokens[i].Kind == SqlTokenKind.Word
                ? text.ToLowerInvariant()
                : text.Trim('"').Replace("\"\"", "\"", StringComparison.Ordinal));
        }

        if (calls.Count == 0)
            return true;
        await using var command = new NpgsqlCommand(
            """
            SELECT bool_and(known IS TRUE)
              FROM unnest($1) AS called (name)
              CROSS JOIN LATERAL (
                       SELECT bool_and(provolatile = 'i') FROM pg_catalog.pg_proc WHERE proname = called.name) p (known)
            """,
            connection)
        {
            Parameters = { new NpgsqlParameter<string[]> { TypedValue = [.. calls] } },
        };
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
