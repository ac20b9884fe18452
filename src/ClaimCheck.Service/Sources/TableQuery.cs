namespace ClaimCheck.Service.Sources;

/// <summary>A dataset that is a table, or rows and columns of one: the service writes its query, and can cut the table into
/// ranges of its pages.</summary>
/// <param name="Table">As it was written: <c>public.orders</c>.</param>
/// <param name="Select">The columns, or null for all.</param>
/// <param name="Where">The rows: a condition with <c>:parameters</c>, or null for all.</param>
internal sealed record TableQuery(string Table, IReadOnlyList<string>? Select, string? Where)
{
    /// <summary>The query of the whole, with <c>:parameters</c>.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Sql => Render(null);

    /// <summary>Checks what was written.</summary>
    /// <exception cref="FormatException">The text says which part is wrong and why, as the end of a sentence.</exception>
    public static TableQuery Of(string table, IReadOnlyList<string>? select, string? where)
    {
        var tokens = SourceSqlLexer.Read(table);
        if (tokens.Count is not (1 or 3) || tokens.Where((token, at) => !IsPart(table, token, at)).Any())
            throw new FormatException($"table is {table}, but must be the name of a table, such as public.orders");
        if (select is not null && select.Distinct(StringComparer.Ordinal).Count() != select.Count)
            throw new FormatException("select names a column twice");
        if (where is not null && TableCondition.Fault(where) is { } fault)
            throw new FormatException($"where {fault}");
        return new(table, select, where);
    }

    /// <summary>The query of some of the table's pages, or of a partition.</summary>
    /// <param name="table">Which table: this one, or a partition of it, quoted.</param>
    /// <param name="columns">The columns of the whole, by name: a partition may have them in another order.</param>
    /// <param name="fromPage">The first page.</param>
    /// <param name="toPage">The page behind the last one; null for all that follow.</param>
    public string Range(string table, IEnumerable<string> columns, long fromPage, long? toPage)
    {
        var above = fromPage == 0 ? null : $"ctid >= '({fromPage},0)'::tid";
        var below = toPage is null ? null : $"ctid < '({toPage},0)'::tid";
        var range = string.Join(" AND ", new[] { above, below }.OfType<string>());
        return (this with { Table = table, Select = [.. columns] }).Render(range.Length == 0 ? null : range);
    }

    // The line break ends a comment that the condition may end with. The parentheses keep an OR of it to itself.
    private string Render(string? range)
    {
        var columns = Select is null ? "*" : string.Join(", ", Select.Select(SourceQuery.Identifier));
        var conditions = string.Join(" AND ", new[] { range, Where is null ? null : $"({Where}\n)" }.OfType<string>());
        return $"SELECT {columns} FROM {Table}{(conditions.Length == 0 ? "" : $" WHERE {conditions}")}";
    }

    private static bool IsPart(string table, SqlToken token, int at) =>
        at == 1
            ? token is { Kind: SqlTokenKind.Symbol, Length: 1 } && table[token.Start] == '.'
            : token.Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName;
}
