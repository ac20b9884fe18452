namespace ClaimCheck.Records;

/// <summary>
/// Values as the text that Postgres reads. A server reads its own forms and many others: those stay exactly as they are. What it
/// would refuse or misread is converted: JSON's arrays and base64, Java's years and zones, Go's durations.
/// </summary>
internal static class PostgresText
{
    private const string NotUnicode = "must be well-formed Unicode text";
    // A server evaluates them at that moment: applied twice, they are two values.
    private static readonly HashSet<string> Relative =
        new(StringComparer.OrdinalIgnoreCase) { "now", "today", "tomorrow", "yesterday", "allballs" };

    private const string HasNul = "must be text without NUL characters";

    /// <summary>A value that came as text: from CSV, or from a text in JSON.</summary>
    /// <exception cref="FormatException">It is not valid for the type; the text is the rule, without the value.</exception>
    public static string OfText(PostgresType type, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new FormatException(HasNul);
        return type.Kind == TypeKind.Text ? text : Rewritten(type, text) ?? text;
    }

    /// <summary>A value of JSON that is not null, from its first token to its last.</summary>
    /// <exception cref="FormatException">It is not valid for the type; the text is the rule, without the value.</exception>
    public static string OfJson(PostgresType type, ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        if (type.Kind == TypeKind.Json)
            return Raw(ref reader, json);
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return OfText(type, TextOf(ref reader));
            case JsonTokenType.StartArray:
                return ArrayText.OfJson(type, ref reader, json);
            case JsonTokenType.StartObject:
                // A type that the database has derived from json; any other refuses it.
                return type.Kind == TypeKind.Text && !type.IsPlainText
                    ? Raw(ref reader, json)
                    : throw new FormatException($"must be {Rule(type)}");
            default:
                return OfLiteral(type, Encoding.ASCII.GetString(reader.ValueSpan));
        }
    }

    /// <summary>The same for a value that stands alone.</summary>
    /// <exception cref="FormatException">It is not valid for the type; the text is the rule, without the value.</exception>
    public static string OfJson(PostgresType type, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, JsonDepth.Reader);
        reader.Read();
        return OfJson(type, ref reader, json);
    }

    /// <summary>Whether a text certainly stays unchanged, without reading all of it.</summary>
    public static bool IsOwn(PostgresType type, ReadOnlySpan<byte> text) => type.Kind switch
    {
        TypeKind.Bytes => text.StartsWith("\\x"u8),
        TypeKind.Interval => text is [(byte)'P', ..],
        TypeKind.Array => text is [(byte)'{', ..],
        TypeKind.Uuid => text.Length == 36,
        TypeKind.Date or TypeKind.Time or TypeKind.Timestamp =>
            text is [>= (byte)'0' and <= (byte)'9', .., >= (byte)'0' and <= (byte)'9' or (byte)'Z'] && text.Length < 32
            && !text.StartsWith("0000"u8),
        _ => true,
    };

    /// <summary>What a value of the type must be, as the end of a sentence.</summary>
    public static string Rule(PostgresType type) => type.Kind switch
    {
        TypeKind.Integer or TypeKind.Numeric or TypeKind.Floating => "a number",
        TypeKind.Boolean => "true or false",
        TypeKind.Array => "an array",
        TypeKind.Bytes => "hex behind \\x, or base64",
        TypeKind.Json => "JSON",
        _ => "a string",
    };

    private static string OfLiteral(PostgresType type, string literal) => type.Kind switch
    {
        TypeKind.Boolean when literal is "true" or "false" => literal,
        TypeKind.Integer or TypeKind.Numeric or TypeKind.Floating when literal is not ("true" or "false") =>
            OfText(type, literal),
        TypeKind.Text => literal,
        _ => throw new FormatException($"must be {Rule(type)}"),
    };

    private static string? Rewritten(PostgresType type, string text)
    {
        switch (type.Kind)
        {
            case TypeKind.Integer:
                return Numbers.Whole(Encoding.UTF8.GetBytes(text));
            case TypeKind.Bytes:
                return text.StartsWith("\\x", StringComparison.Ordinal)
                    ? null
                    : Scalars.TryBytes(Encoding.UTF8.GetBytes(text), out var bytes) ? "\\x" + Convert.ToHexStringLower(bytes)
                    : throw new FormatException($"must be {Rule(type)}");
            case TypeKind.Uuid:
                return text.StartsWith("urn:uuid:", StringComparison.Ordinal) ? text["urn:uuid:".Length..] : null;
            case TypeKind.Date or TypeKind.Timestamp or TypeKind.Time:
                if (Relative.Contains(text.Trim()))
                    throw new FormatException("must not depend on the time of day");
                return IsForeign(text) && Moment.TryParse(Encoding.UTF8.GetBytes(text), out var moment)
                    ? moment.ToPostgres()
                    : null;
            case TypeKind.Interval:
                return Intervals.ToPostgres(text);
            case TypeKind.Array:
                return ArrayText.OfText(type, text);
            default:
                return null;
        }
    }

    // Signed years, and names of zones behind their offsets.
    private static bool IsForeign(string text) =>
        text is ['+' or '-', >= '0' and <= '9', ..] or [.., ']'] || text.StartsWith("0000-", StringComparison.Ordinal)
        || text.Contains(" +", StringComparison.Ordinal) || text.Contains(" -", StringComparison.Ordinal);

    internal static string Raw(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return Encoding.UTF8.GetString(json[start..(int)reader.BytesConsumed]);
    }

    internal static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException(NotUnicode, e);
        }
    }
}
