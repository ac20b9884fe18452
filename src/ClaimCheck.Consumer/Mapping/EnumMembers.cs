using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json.Serialization;

namespace ClaimCheck.Consumer.Mapping;

/// <summary>The members of an enum by their labels in a column. They match as columns match members.</summary>
internal static class EnumMembers<T>
    where T : struct, Enum
{
    // Only this many spellings are cached: the writer of a column may spell a member in any number of ways.
    private const int MostKnown = 1000;

    private static readonly (string Member, T Value, string? Renamed)[] Members =
    [
        .. typeof(T).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field =>
                (field.Name, (T)field.GetValue(null)!, field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name)),
    ];

    private static readonly (string Member, T Value, string? Renamed)[] ByName =
        [.. Members.Where(member => member.Renamed is null)];
    private static readonly MemberNames Names = new([.. ByName.Select(member => member.Member)]);
    private static readonly ConcurrentDictionary<string, T> Known = new(StringComparer.Ordinal);

    /// <exception cref="FormatException">No member has that label, or several might.</exception>
    public static T Of(ReadOnlySpan<char> label)
    {
        if (Known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(label, out var known))
            return known;
        var text = label.ToString();
        var value = Find(text);
        if (Known.Count < MostKnown)
            Known.TryAdd(text, value);
        return value;
    }

    private static T Find(string label)
    {
        foreach (var (_, value, renamed) in Members)
        {
            if (renamed == label)
                return value;
        }

        var places = Names.Find(label);
        // Blanks around a label make it a different one. Two names may have one value.
        return places.Count > 0 && label.Trim().Length == label.Length
            && places.All(place => ByName[place].Value.Equals(ByName[places[0]].Value))
            ? ByName[places[0]].Value
            : throw new FormatException();
    }
}
