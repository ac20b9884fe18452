namespace ClaimCheck.Service.Sources;

/// <summary>How a type's text becomes JSON.</summary>
internal enum JsonKind
{
    Text,
    Number,
    Boolean,
    Json,
    Bytes,
    Date,
    Interval,
    Timestamp,
    TimestampWithZone,
    Array,
}

/// <summary>Assigns each type its JSON form; the oids of built-in types are fixed (pg_type.dat).</summary>
internal static class JsonKinds
{
    public static JsonKind Of(ResultType type) => type switch
    {
        { Element: not null } => JsonKind.Array,
        { Oid: 21 or 23 or 20 or 700 or 701 or 1700 } => JsonKind.Number, // int2, int4, int8, float4, float8, numeric
        { Oid: 16 } => JsonKind.Boolean,
        { Oid: 114 or 3802 } => JsonKind.Json, // json, jsonb
        { Oid: 17 } => JsonKind.Bytes,
        { Oid: 1082 } => JsonKind.Date,
        { Oid: 1186 } => JsonKind.Interval,
        { Oid: 1114 } => JsonKind.Timestamp,
        { Oid: 1184 } => JsonKind.TimestampWithZone,
        _ => JsonKind.Text,
    };
}
