namespace ClaimCheck.Service.Sources;

/// <summary>Whether an expression may have another value in another session of the same snapshot: it may say when the transaction
/// began, who runs it, what is set, or chance. In doubt the answer is yes.</summary>
internal static partial class SessionDependence
{
    // A parenthesis may follow these, and nothing is called.
    private static readonly HashSet<string> Syntax = new(StringComparer.OrdinalIgnoreCase)
    {
        "all", "and", "any", "between", "case", "coalesce", "else", "end", "exists", "from", "greatest", "ilike", "in", "is",
        "least", "like", "not", "nullif", "on", "or", "row", "select", "similar", "some", "then", "to", "values", "when", "where",
    };

    private static readonly HashSet<string> OfTheSession = new(StringComparer.OrdinalIgnoreCase)
    {
        "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user",
        "localtime", "localtimestamp", "session_user", "system_user", "user",
    };

    // Texts that become times when they are read as a time, and the types that read them so.
    private static readonly string[] Times = ["now", "today", "tomorrow", "yesterday"];

    private static readonly HashSet<string> TimeTypes =
        new(StringComparer.OrdinalIgnoreCase) { "date", "time", "timetz", "timestamp", "timestamptz" };

    /// <summary>Whether the literals of a query may be times that depend on when it is planned: <c>'today'</c>, or one whose text
    /// is not seen as it is written.</summary>
    public static bool IsPossibleInTexts(string sql)
    {
        var tokens = SourceSqlLexer.Read(sql);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens[i].Kind != SqlTokenKind.Text)
                continue;
            var text = sql.AsSpan(tokens[i].Start, tokens[i].Length);
            // With escapes; of Unicode, U&'…'; or in parts: 'to' <new line> 'day'.
            if (text[0] is 'e' or 'E'
                || (i > 0 && (tokens[i - 1].Kind == SqlTokenKind.Text || IsSymbol(sql, tokens, i - 1, '&'))))
                return true;
            foreach (var time in Times)
            {
                if (text.Contains(time, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }

        return false;
    }

    /// <param name="connection">The source.</param>
    /// <param name="expressions">As they are written, or as a plan shows them.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<bool> IsPossibleAsync(
        NpgsqlConnection connection, IEnumerable<string> expressions, CancellationToken cancellationToken)
    {
        var calls = new HashSet<string>(StringComparer.Ordinal);
        var operators = new HashSet<string>(StringComparer.Ordinal);
        foreach (var expression in expressions)
        {
            try
            {
                if (IsPossibleInTexts(expression) || !Collect(expression, calls))
                    return true;
            }
            catch (FormatException)
            {
                return true; // a plan's way of writing that the lexer does not know
            }

            operators.UnionWith(Operators().Matches(expression).Select(match => match.Value));
        }

        // Of the operators and casts that Postgres itself has, some depend on a setting; those settings are the same in all
        // sessions of an export.
        await using var command = new NpgsqlCommand(
            """
            SELECT NOT coalesce((SELECT bool_and(known IS TRUE)
                      FROM unnest($1) AS called (name)
                      CROSS JOIN LATERAL (
                               SELECT bool_and(provolatile = 'i') FROM pg_catalog.pg_proc WHERE proname = called.name) p (known)),
                   true)
                OR EXISTS (SELECT FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
                            WHERE o.oid >= 16384 AND o.oprname = ANY ($2) AND p.provolatile <> 'i')
                OR EXISTS (SELECT FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
                            WHERE c.oid >= 16384 AND p.provolatile <> 'i')
            """,
            connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. calls] },
                new NpgsqlParameter<string[]> { TypedValue = [.. operators] },
            },
        };
        return await command.ExecuteScalarAsync(cancellationToken) is not false;
    }

    // False where a word of it says that its value depends on the session.
    private static bool Collect(string expression, HashSet<string> calls)
    {
        var tokens = SourceSqlLexer.Read(expression);
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens[i].Kind is not (SqlTokenKind.Word or SqlTokenKind.QuotedName))
                continue;
            var text = expression.Substring(tokens[i].Start, tokens[i].Length);
            if (tokens[i].Kind == SqlTokenKind.Word && (OfTheSession.Contains(text) || IsReadAsTime(expression, tokens, i)))
                return false;
            if (!IsSymbol(expression, tokens, i + 1, '(') || (tokens[i].Kind == SqlTokenKind.Word && Syntax.Contains(text)))
                continue;
            calls.Add(tokens[i].Kind == SqlTokenKind.Word
                ? text.ToLowerInvariant()
                : text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal));
        }

        return true;
    }

    // note::date, where note may be 'today'; a literal was read when the statement was planned.
    private static bool IsReadAsTime(string expression, IReadOnlyList<SqlToken> tokens, int at) =>
        at > 1 && TimeTypes.Contains(expression.Substring(tokens[at].Start, tokens[at].Length))
        && tokens[at - 1] is { Kind: SqlTokenKind.Symbol, Length: 2 } && IsSymbol(expression, tokens, at - 1, ':')
        && tokens[at - 2].Kind != SqlTokenKind.Text;

    private static bool IsSymbol(string sql, IReadOnlyList<SqlToken> tokens, int at, char symbol) =>
        at < tokens.Count && tokens[at].Kind == SqlTokenKind.Symbol && sql[tokens[at].Start] == symbol;

    [GeneratedRegex(@"[-+*/<>=~!@#%^&|`?]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Operators();
}
