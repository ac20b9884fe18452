namespace ClaimCheck.Service.BulkJobs;

/// <summary>The types that a parameter of an operation may have: all types of the target. Its server reads the values and tells
/// whether the type exists. Length and precision are left to the column: a cast to them would silently truncate values.</summary>
internal static partial class ItemTypes
{
    // Without a length these would be one character or one bit long.
    private static readonly Dictionary<string, string> Unlimited = new(StringComparer.Ordinal)
    {
        ["char"] = "bpchar",
        ["character"] = "bpchar",
        ["bit"] = "varbit",
    };

    /// <summary>Shown to the operator who chose another type.</summary>
    public const string List =
        "the types of the target, by name, without length or precision: text, bigint, bytea, tstzrange, shop.mood, text[]";

    /// <summary>The canonical name of a type that may have several names, or null where the text is not a type name.</summary>
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

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?( [a-z]+){0,4}(\[\])?\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
