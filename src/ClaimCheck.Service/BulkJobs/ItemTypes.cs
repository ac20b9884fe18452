using System.Text.RegularExpressions;
using ClaimCheck.Service.Sources;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>
/// The types that a parameter of an operation may have: all of the target's. Its server reads the values, and says whether it has the type. Length
/// and precision are the column's own: a cast to them would cut values off without a word.
/// </summary>
internal static partial class ItemTypes
{
    // Without a length these are of one character, and of one bit.
    private static readonly Dictionary<string, string> Unlimited = new(StringComparer.Ordinal)
    {
        ["char"] = "bpchar",
        ["character"] = "bpchar",
        ["bit"] = "varbit",
    };

    /// <summary>For the operator who chose another one.</summary>
    public const string List = "the types of the target, by name, without length or precision: text, bigint, bytea, tstzrange, shop.mood, text[]";

    /// <summary>The one name of a type that may have several, or null where it is no name.</summary>
    public static string? Canonical(string type)
    {
        if (SourceTypes.Canonical(type) is { } known)
            return known;
        if (type.Length > 200 || !Form().IsMatch(type))
            return null;
        var isArray = SourceTypes.IsArray(type);
        var scalar = isArray ? SourceTypes.ElementOf(type) : type;
        return Unlimited.GetValueOrDefault(scalar, scalar) + (isArray ? "[]" : "");
    }

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?( [a-z]+){0,4}(\[\])?\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
