namespace ClaimCheck.Service.Sources;

/// <summary>A dataset's query: one SELECT or WITH, without its trailing <c>;</c>, and the positions of its
/// <c>:parameters</c>.</summary>
internal sealed class SourceSql
{
    private readonly IReadOnlyList<SqlToken> tokens;

    private SourceSql(string text, IReadOnlyList<SqlToken> tokens)
    {
        Text = text;
        this.tokens = tokens;
        Parameters = [.. tokens.Where(token => token.Kind == SqlTokenKind.Parameter)];
    }

    /// <summary>The query. Nothing follows its last token, not even a comment: it can be put into parentheses.</summary>
    public string Text { get; }

    /// <summary>Each use of a parameter, in order; a name may be used more than once.</summary>
    public IReadOnlyList<SqlToken> Parameters { get; }

    public IEnumerable<string> ParameterNames => Parameters.Select(NameOf).Distinct(StringComparer.Ordinal);

    /// <summary>Words outside all parentheses.</summary>
    public IEnumerable<string> WordsAtTop
    {
        get
        {
            var depth = 0;
            foreach (var token in tokens)
            {
                if (token.Kind == SqlTokenKind.Symbol)
                    depth += Text[token.Start] switch { '(' or '[' => 1, ')' or ']' => -1, _ => 0 };
                else if (depth == 0 && token.Kind == SqlTokenKind.Word)
                    yield return Text.Substring(token.Start, token.Length);
            }
        }
    }

    public string NameOf(SqlToken parameter) => Text.Substring(parameter.Start + 1, parameter.Length - 1);

    /// <exception cref="FormatException">It is not a single SELECT or WITH; the text says why, as the end of a
    /// sentence.</exception>
    public static SourceSql Parse(string sql) => Parse(sql, "select", "with");

    /// <summary>One statement that begins with one of these words.</summary>
    /// <exception cref="FormatException">It is not such a statement; the text says why, as the end of a sentence.</exception>
    public static SourceSql Parse(string sql, params string[] beginnings)
    {
        var read = SourceSqlLexer.Read(sql).ToList();
        bool IsSymbol(SqlToken token, char symbol) =>
            token is { Kind: SqlTokenKind.Symbol, Length: 1 } && sql[token.Start] == symbol;

        while (read.Count > 0 && IsSymbol(read[^1], ';'))
            read.RemoveAt(read.Count - 1);
        if (read.Count == 0)
            throw new FormatException("it is empty");
        if (read.Exists(token => IsSymbol(token, ';')))
            throw new FormatException("it has more than one statement");

        var first = read.Find(token => !IsSymbol(token, '('));
        if (first.Kind != SqlTokenKind.Word
            || !beginnings.Any(word => IsWord(sql, first, word)))
            throw new FormatException(
                $"it does not begin with {string.Join(" or ", beginnings.Select(word => word.ToUpperInvariant()))}");
        return new SourceSql(sql[..read[^1].End], read);
    }

    /// <summary>The output column that the records are ordered by: the outermost ORDER BY's first term, where that is a plain
    /// name.</summary>
    public string? OrderedBy(IEnumerable<string> columns) =>
        FirstOrderingName() is { } name && columns.Contains(name, StringComparer.Ordinal) ? name : null;

    private string? FirstOrderingName()
    {
        var depth = 0;
        var term = -1;
        for (var i = 0; i < tokens.Count; i++)
        {
            if (tokens[i].Kind == SqlTokenKind.Symbol)
                depth += Text[tokens[i].Start] switch { '(' or '[' => 1, ')' or ']' => -1, _ => 0 };
            else if (depth == 0 && i > 0 && IsWord(Text, tokens[i], "by") && IsWord(Text, tokens[i - 1], "order"))
                term = i + 1;
        }

        return term > 0 && term < tokens.Count && EndsTerm(term + 1) ? Name(term) : null;
    }

    private bool EndsTerm(int index)
    {
        if (index >= tokens.Count)
            return true;
        var token = tokens[index];
        return token.Kind == SqlTokenKind.Symbol
            ? Text[token.Start] == ','
            : (string[])["asc", "desc", "nulls", "limit", "offset", "fetch", "for"] is var ends
                && ends.Any(end => IsWord(Text, token, end));
    }

    // Postgres folds unquoted names to lower case, only their ASCII letters where the encoding is UTF-8.
    private string? Name(int index)
    {
        var text = Text.Substring(tokens[index].Start, tokens[index].Length);
        return tokens[index].Kind switch
        {
            SqlTokenKind.Word => string.Concat(text.Select(c => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c)),
            SqlTokenKind.QuotedName => text[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal),
            _ => null,
        };
    }

    private static bool IsWord(string sql, SqlToken token, string word) =>
        token.Kind == SqlTokenKind.Word
        && sql.AsSpan(token.Start, token.Length).Equals(word, StringComparison.OrdinalIgnoreCase);
}
