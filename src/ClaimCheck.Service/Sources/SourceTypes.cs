namespace ClaimCheck.Service.Sources;

/// <summary>The Postgres types that a parameter may have. A name from here can be put into a query unchanged.</summary>
internal static class SourceTypes
{
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["character varying"] = "varchar",
        ["int2"] = "smallint",
        ["int"] = "integer",
        ["int4"] = "integer",
        ["int8"] = "bigint",
        ["decimal"] = "numeric",
        ["float4"] = "real",
        ["float8"] = "double precision",
        ["bool"] = "boolean",
        ["time without time zone"] = "time",
        ["timestamp without time zone"] = "timestamp",
        ["timestamp with time zone"] = "timestamptz",
    };

    private static readonly string[] Scalars =
    [
        "text", "varchar", "uuid", "smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "date",
        "time", "timestamp", "timestamptz", "interval",
    ];

    /// <summary>Shown to the operator who chose another type.</summary>
    public static string List { get; } = string.Join(", ", Scalars) + ", an array of one of these (text[]), json, jsonb";

    /// <summary>The canonical name of a type that may have several names, or null where it is not one of these types.</summary>
    public static string? Canonical(string type)
    {
        var isArray = IsArray(type);
        var scalar = isArray ? ElementOf(type) : type;
        scalar = Aliases.GetValueOrDefault(scalar, scalar);
        if (Scalars.Contains(scalar, StringComparer.Ordinal))
            return isArray ? scalar + "[]" : scalar;
        return !isArray && IsJson(scalar) ? scalar : null;
    }

    public static bool IsArray(string type) => type.EndsWith("[]", StringComparison.Ordinal);

    public static bool IsJson(string type) => type is "json" or "jsonb";

    public static string ElementOf(string array) => array[..^2];
}
