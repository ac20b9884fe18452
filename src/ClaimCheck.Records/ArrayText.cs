namespace ClaimCheck.Records;

/// <summary>JSON's arrays as Postgres' own: <c>[1,null,"a b"]</c> is <c>{"1",NULL,"a b"}</c>.</summary>
internal static class ArrayText
{
    private static readonly SearchValues<char> Bounds = SearchValues.Create("[]:+-0123456789");

    /// <summary>Null where it has Postgres' form already: <c>{a,b}</c>, or <c>[2:3]={a,b}</c>.</summary>
    /// <exception cref="FormatException">It is neither; the text is the rule, without the value.</exception>
    public static string? OfText(PostgresType type, string text)
    {
        if (IsPostgres(text.AsSpan().TrimStart()))
            return null;
        var utf8 = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(utf8, JsonDepth.Reader);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                throw new FormatException($"must be {PostgresText.Rule(type)}");
            var array = OfJson(type, ref reader, utf8);
            return reader.Read() ? throw new FormatException($"must be {PostgresText.Rule(type)}") : array;
        }
        catch (JsonException e)
        {
            throw new FormatException($"must be {PostgresText.Rule(type)}", e);
        }
    }

    /// <summary>
    /// From the array's first token to its last. For a type whose name does not say that it is an array: as if it were an array
    /// of texts.
    /// </summary>
    /// <exception cref="FormatException">An element is not valid for the type.</exception>
    public static string OfJson(PostgresType type, ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        if (type.IsPlainText || type.Kind is not (TypeKind.Array or TypeKind.Text))
            throw new FormatException($"must be {PostgresText.Rule(type)}");
        var element = type.Element ?? PostgresType.Text;
        var text = new StringBuilder();
        var depth = 0;
        var isFirst = true;
        do
        {
            if (reader.TokenType == JsonTokenType.EndArray)
            {
                text.Append('}');
                depth--;
                isFirst = false;
                continue;
            }

            if (!isFirst)
                text.Append(type.Delimiter);
            isFirst = false;
            // Elements of json[] are kept unchanged, including arrays.
            if (reader.TokenType == JsonTokenType.StartArray && (depth == 0 || element.Kind != TypeKind.Json))
            {
                text.Append('{');
                depth++;
                isFirst = true;
            }
            else if (reader.TokenType == JsonTokenType.Null)
            {
                text.Append("NULL");
            }
            else
            {
                AppendQuoted(text, PostgresText.OfJson(element, ref reader, json));
            }
        }
        while (depth > 0 && reader.Read());
        return text.ToString();
    }

    // Bounds other than the usual come first.
    private static bool IsPostgres(ReadOnlySpan<char> text) =>
        text is ['{', ..] || (text.IndexOf('=') is var at and > 0 && !text[..at].ContainsAnyExcept(Bounds));

    // Each element is quoted, so that none of them is taken for NULL, a comma or a brace.
    private static void AppendQuoted(StringBuilder text, string element)
    {
        text.Append('"');
        foreach (var c in element)
        {
            if (c is '"' or '\\')
                text.Append('\\');
            text.Append(c);
        }

        text.Append('"');
    }
}
