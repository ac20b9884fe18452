namespace ClaimCheck.Records;

/// <summary>How the values of a type are written.</summary>
internal enum TypeKind
{
    /// <summary>As its text: ranges, composites, addresses, types that a database defines, and others.</summary>
    Text,
    Integer,
    Numeric,
    Floating,
    Boolean,
    Json,
    Bytes,
    Uuid,
    Date,
    Time,
    Timestamp,
    Interval,
    Array,
}

/// <summary>A type of Postgres, by its name in a manifest or a definition.</summary>
/// <param name="Kind">How its values are written.</param>
/// <param name="Name">Its name, without length or precision.</param>
/// <param name="Element">For an array: the type of its elements.</param>
internal sealed record PostgresType(TypeKind Kind, string Name, PostgresType? Element = null)
{
    public static PostgresType Text { get; } = new(TypeKind.Text, "text");

    /// <summary>Whether it is a text type by its name, and not a type that the database defines.</summary>
    public bool IsPlainText => Name is "text" or "varchar" or "character varying" or "bpchar" or "character";

    /// <summary>The separator of the elements of an array.</summary>
    public char Delimiter => Element?.Name == "box" ? ';' : ',';

    public static PostgresType Of(string name)
    {
        if (name.EndsWith("[]", StringComparison.Ordinal))
        {
            // One type covers arrays of any number of dimensions.
            var element = Of(name[..^2]);
            return new(TypeKind.Array, name, element.Element ?? element);
        }

        // numeric(12,2), timestamp(3) without time zone; a quoted name is a type that the database defines.
        var open = name.IndexOf('(', StringComparison.Ordinal);
        var plain = open < 0 || name.Contains('"', StringComparison.Ordinal)
            ? name
            : name[..open].TrimEnd() + name[(name.IndexOf(')', open) is var close and >= 0 ? close + 1 : name.Length)..];
        return new(KindOf(plain), plain);
    }

    private static TypeKind KindOf(string name) => name switch
    {
        "smallint" or "integer" or "bigint" or "int" or "int2" or "int4" or "int8" or "oid" => TypeKind.Integer,
        "numeric" or "decimal" => TypeKind.Numeric,
        "real" or "double precision" or "float4" or "float8" => TypeKind.Floating,
        "boolean" or "bool" => TypeKind.Boolean,
        "json" or "jsonb" => TypeKind.Json,
        "bytea" => TypeKind.Bytes,
        "uuid" => TypeKind.Uuid,
        "date" => TypeKind.Date,
        "time" or "time without time zone" or "timetz" or "time with time zone" => TypeKind.Time,
        "timestamp" or "timestamp without time zone" or "timestamptz" or "timestamp with time zone" => TypeKind.Timestamp,
        _ when name == "interval" || name.StartsWith("interval ", StringComparison.Ordinal) => TypeKind.Interval,
        _ => TypeKind.Text,
    };
}
