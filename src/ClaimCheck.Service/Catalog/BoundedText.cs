namespace ClaimCheck.Service.Catalog;

/// <summary>Texts that come from elsewhere (a source's message, a list of names) as they are kept and told: so long at most.</summary>
internal static class BoundedText
{
    /// <summary>What a failure's detail has at most.</summary>
    public const int Detail = 2000;

    private const string More = "…";

    /// <summary>The text, cut where it is longer, between two characters; a cut one ends with <c>…</c>. A NUL, which no text of Postgres can hold, is replaced.</summary>
    public static string Cut(string text, int most)
    {
        text = text.Replace('\0', '\uFFFD');
        if (text.Length <= most)
            return text;
        var end = most - More.Length;
        return text[..(char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)] + More;
    }

    /// <summary>A list of names for a text: the first ones, and how many more there are.</summary>
    public static string List(IReadOnlyCollection<string> names, int most = 20) =>
        string.Join(", ", names.Take(most)) + (names.Count > most ? $" and {names.Count - most} more" : "");
}
