namespace ClaimCheck.Records;

/// <summary>What matters of a type for how its values are written.</summary>
internal enum TypeKind
{
    /// <summary>Nothing: its text is its text. Ranges, composites, addresses, types of a database's own and others.</summary>
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

/// <summary>A type of Postgres, by the name that a manifest or a definition has of it.</summary>
/// <param name="Kind">How its values are written.</param>
/// <param name="Name">Its name, without length or precision.</param>
/// <param name="Element">Of an array: what it holds.</param>
internal sealed record PostgresType(TypeKind Kind, string Name, PostgresType? Element = null)
{
    public static PostgresType Text { get; } = new(TypeKind.Text, "text");

    /// <summary>Whether it is one of texts by its name, and not a type of the database's own.</summary>
    public bool IsPlainText => Name is "text" or "varchar" or "character varying" or "bpchar" or "character";

    /// <summary>What stands between the elements of an array.</summary>
    public char Delimiter => Element?.Name == "box" ? ';' : ',';

    public static PostgresType Of(string name)
    {
        if (name.EndsWith("[]", StringComparison.Ordinal))
        {
            // One type has arrays of any number of dimensions.
            var element = Of(name[..^2]);
            return new(TypeKind.Array, name, element.Element ?? element);
        }

        // numeric(12,2), timestamp(3) without time zone; a quoted name is a type of the database's own.
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
