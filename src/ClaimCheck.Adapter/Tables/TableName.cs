namespace ClaimCheck.Adapter.Tables;

/// <summary>A table's name as SQL has it: parts separated by dots, each plain or in double quotes.</summary>
internal sealed record TableName(IReadOnlyList<string> Parts)
{
    private const int LongestPart = 63;

    /// <summary>Quoted, so that it can be put into a statement.</summary>
    public string Sql => string.Join('.', Parts.Select(Quote));

    /// <summary>Reads <c>orders</c>, <c>shop.orders</c> or <c>shop."Order lines"</c>. Plain parts are folded to lower
    /// case, as SQL does.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out TableName? name)
    {
        name = null;
        var parts = new List<string>();
        for (var i = 0; text is not null && i < text.Length; i++)
        {
            if (Part(text, ref i) is not { Length: > 0 and <= LongestPart } part)
                return false;
            parts.Add(part);
            if (i < text.Length && (text[i] != '.' || i == text.Length - 1))
                return false;
        }

        if (parts.Count is not (1 or 2))
            return false;
        name = new(parts);
        return true;
    }

    public static string Quote(string identifier) => $"\"{identifier.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public override string ToString() => string.Join('.', Parts);

    // Returns the position behind the part.
    private static string? Part(string text, ref int i)
    {
        var part = new StringBuilder();
        if (text[i] != '"')
        {
            for (; i < text.Length && text[i] != '.'; i++)
            {
                if (!(char.IsAsciiLetterOrDigit(text[i]) || text[i] is '_' or '$' || text[i] > 127)
                    || (part.Length == 0 && char.IsAsciiDigit(text[i])))
                    return null;
                part.Append(char.ToLowerInvariant(text[i]));
            }

            return part.ToString();
        }

        for (i++; i < text.Length; i++)
        {
            if (text[i] != '"')
                part.Append(text[i]);
            else if (i + 1 < text.Length && text[i + 1] == '"')
                part.Append(text[i++]);
            else
                break;
        }

        return i++ < text.Length && !part.ToString().Contains('\0', StringComparison.Ordinal) ? part.ToString() : null;
    }
}
