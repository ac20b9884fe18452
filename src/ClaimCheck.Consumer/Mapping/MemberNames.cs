namespace ClaimCheck.Consumer.Mapping;

/// <summary>
/// Finds by a name what .NET names differently, members by their columns and enum members by their labels: the exact name,
/// else ignoring case, else without the <c>_</c>, <c>-</c> and blanks in it. <c>in_progress</c> is <c>InProgress</c>.
/// </summary>
/// <param name="names">The names, by their index.</param>
internal sealed class MemberNames(IReadOnlyList<string> names)
{
    private const string Separators = "_- ";

    private readonly Dictionary<string, int[]>[] steps =
    [
        Grouped(names, StringComparer.Ordinal),
        Grouped(names, StringComparer.OrdinalIgnoreCase),
        Grouped([.. names.Select(Plain)], StringComparer.OrdinalIgnoreCase),
    ];

    /// <returns>The indexes of the best matches: none, one, or several that the name does not distinguish.</returns>
    public IReadOnlyList<int> Find(string name)
    {
        if (TryGet(steps[0], name, out var places) || TryGet(steps[1], name, out places)
            || TryGet(steps[2], Plain(name), out places))
            return places;
        return [];
    }

    private static bool TryGet(Dictionary<string, int[]> step, string name, [NotNullWhen(true)] out int[]? places) =>
        step.TryGetValue(name, out places);

    private static Dictionary<string, int[]> Grouped(IReadOnlyList<string> names, StringComparer comparer) =>
        names.Index().GroupBy(each => each.Item, comparer)
            .ToDictionary(group => group.Key, group => group.Select(each => each.Index).ToArray(), comparer);

    private static string Plain(string name) => name.AsSpan().ContainsAny(Separators)
        ? string.Concat(name.Where(c => !Separators.Contains(c, StringComparison.Ordinal)))
        : name;
}
