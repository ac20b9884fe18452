namespace ClaimCheck.Service.Sources;

/// <summary>Renders a dataset's query with typed literals in place of its <c>:parameters</c>. COPY takes no
/// parameters of its own.</summary>
internal static class SourceQuery
{
    /// <summary>The query with each <c>:parameter</c> replaced by a quoted, typed literal; a parameter without a value
    /// is a typed NULL.</summary>
    /// <exception cref="FormatException">It is not a single SELECT or WITH.</exception>
    /// <exception cref="InvalidOperationException">A parameter or type that a definition can't have: the definition was not
    /// checked.</exception>
    public static string Render(string sql, IReadOnlyDictionary<string, string> parameters, JsonElement criteria)
    {
        var query = SourceSql.Parse(sql);
        var rendered = new StringBuilder(query.Text.Length + 64);
        var from = 0;
        foreach (var use in query.Parameters)
        {
            var name = query.NameOf(use);
            var type = parameters.TryGetValue(name, out var declared) && SourceTypes.Canonical(declared) is { } known
                ? known
                : throw new InvalidOperationException($"Parameter {name} has no type that can be rendered.");
            // The blanks separate it from its neighbours: "SELECT:a" is valid where "SELECTCAST(…)" is not.
            rendered
                .Append(query.Text, from, use.Start - from)
                .Append(" CAST(").Append(Literal(Value(criteria, name), type)).Append(" AS ").Append(type).Append(") ");
            from = use.End;
        }

        return rendered.Append(query.Text, from, query.Text.Length - from).ToString();
    }

    private static JsonElement Value(JsonElement criteria, string name) =>
        criteria.ValueKind == JsonValueKind.Object && criteria.TryGetProperty(name, out var value) ? value : default;

    private static string Literal(JsonElement value, string type)
    {
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return "NULL";
        return Quote(TextOf(value, type));
    }

    /// <summary>A canonical value as the text that Postgres reads.</summary>
    public static string TextOf(JsonElement value, string type) =>
        SourceTypes.IsJson(type)
            ? value.GetRawText()
            : SourceTypes.IsArray(type) ? ArrayText(value.EnumerateArray().Select(ScalarText))
            : ScalarText(value);

    private static string ScalarText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        var kind => throw new InvalidOperationException($"A canonical value can't be {kind}."),
    };

    /// <summary>Texts as one quoted array literal, <c>'{"a","b"}'</c>.</summary>
    public static string ArrayLiteral(IEnumerable<string> texts) => Quote(ArrayText(texts));

    /// <summary>A name quoted for Postgres, whatever it contains.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    // {"a","b \" c"}: each element is quoted, so that none of them is taken for NULL, a comma or a brace.
    private static string ArrayText(IEnumerable<string> texts)
    {
        var elements = texts.Select(text =>
            $"\"{text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
        return $"{{{string.Join(',', elements)}}}";
    }

    /// <summary>A text as a literal: with E where it has a backslash, so that it means the same whatever
    /// standard_conforming_strings is.</summary>
    public static string Quote(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new InvalidOperationException("A canonical value can't hold a NUL character.");
        var quoted = text.Replace("'", "''", StringComparison.Ordinal);
        return quoted.Contains('\\', StringComparison.Ordinal)
            ? $"E'{quoted.Replace("\\", @"\\", StringComparison.Ordinal)}'"
            : $"'{quoted}'";
    }
}
