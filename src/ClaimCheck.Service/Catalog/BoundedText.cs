namespace ClaimCheck.Service.Catalog;

/// <summary>Bounds the length of texts from elsewhere (a source's message, a list of names) before they are stored and
/// shown.</summary>
internal static class BoundedText
{
    /// <summary>The greatest length of a failure's detail.</summary>
    public const int Detail = 2000;

    private const string More = "…";

    /// <summary>The text, cut between two characters where it is too long; then it ends with <c>…</c>. A NUL, which Postgres
    /// can't store in text, is replaced.</summary>
    public static string Cut(string text, int most)
    {
        text = text.Replace('\0', '\uFFFD');
        if (text.Length <= most)
            return text;
        var end = most - More.Length;
        return text[..(char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)] + More;
    }

    /// <summary>A list of names for a text: the first ones, and the number of the others.</summary>
    public static string List(IReadOnlyCollection<string> names, int most = 20) =>
        string.Join(", ", names.Take(most)) + (names.Count > most ? $" and {names.Count - most} more" : "");
}
