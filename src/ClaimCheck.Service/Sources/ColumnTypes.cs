namespace ClaimCheck.Service.Sources;

/// <summary>A column's type by its name in the manifest, as far as it matters for JSON. Anything else is text.</summary>
internal static class ColumnTypes
{
    private const uint Text = 25;

    public static ResultType Of(string name)
    {
        if (name.EndsWith("[]", StringComparison.Ordinal))
            return new ResultType(0, Of(name[..^2]), name == "box[]" ? ';' : ',');
        // numeric(12,2), timestamp(3) without time zone
        var open = name.IndexOf('(', StringComparison.Ordinal);
        var plain = open < 0 ? name : name[..open].TrimEnd() + name[(name.IndexOf(')', StringComparison.Ordinal) + 1)..];
        return new ResultType(plain switch
        {
            "boolean" => 16,
            "bytea" => 17,
            "bigint" => 20,
            "smallint" => 21,
            "integer" => 23,
            "json" => 114,
            "date" => 1082,
            "interval" => 1186,
            "real" => 700,
            "double precision" => 701,
            "timestamp without time zone" => 1114,
            "timestamp with time zone" => 1184,
            "numeric" => 1700,
            "jsonb" => 3802,
            _ => Text,
        });
    }
}
