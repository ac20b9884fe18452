namespace ClaimCheck.Web;

/// <summary>
/// Suggests the known name that an unknown name was probably meant to be: the one with the fewest different letters.
/// </summary>
public static class NearestName
{
    // A hostile name of many thousand letters is not worth the work.
    private const int Longest = 200;

    /// <summary>The nearest of the known names.</summary>
    /// <returns>Null where none is known.</returns>
    public static string? Of(string name, IEnumerable<string> known)
    {
        var cut = Folded(name.Length > Longest ? name[..Longest] : name);
        return known.OrderBy(each => Distance(cut, Folded(each))).ThenBy(each => each, StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>The refusal of a field that a call does not know.</summary>
    public static string NotAField(string name, IEnumerable<string> known) =>
        Of(name, known) is { } nearest
            ? $"Is not a field of this call; the nearest is {nearest}."
            : "Is not a field of this call.";

    /// <summary>
    /// How many letters have to be inserted, removed, changed or swapped with their neighbour; case does not count.
    /// </summary>
    public static int Distance(string left, string right)
    {
        (left, right) = (Folded(left), Folded(right));
        var (before, last, row) =
            (new int[right.Length + 1], Enumerable.Range(0, right.Length + 1).ToArray(), new int[right.Length + 1]);
        for (var i = 1; i <= left.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var change = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                row[j] = Math.Min(change, Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
            }

            (before, last, row) = (last, row, before);
        }

        return last[right.Length];
    }

    private static string Folded(string text) => text.ToUpperInvariant();
}
