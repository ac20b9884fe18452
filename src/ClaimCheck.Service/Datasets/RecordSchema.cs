using System.Text.Json.Nodes;

namespace ClaimCheck.Service.Datasets;

/// <summary>JSON Schema of a record in <c>ndjson</c>. The formats are annotations, as JSON Schema defines them: a date may also
/// be <c>infinity</c>, or one BC, in the database's text.</summary>
internal static class RecordSchema
{
    // Object ids of pg_type, which no release changes.
    private const uint Bool = 16, Bytea = 17, Int8 = 20, Int2 = 21, Int4 = 23, Json = 114, Float4 = 700, Float8 = 701;
    private const uint Date = 1082, TimestampTz = 1184, Numeric = 1700, Uuid = 2950, Jsonb = 3802;

    public static JsonElement Of(IReadOnlyList<ResultColumn> columns)
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["type"] = "object",
            ["properties"] = new JsonObject(columns.Select(column => KeyValuePair.Create(column.Name, (JsonNode?)Of(column)))),
            ["required"] = new JsonArray([.. columns.Select(column => JsonValue.Create(column.Name))]),
            ["additionalProperties"] = false,
        };
        return JsonSerializer.SerializeToElement(schema, ClaimCheckJson.Options);
    }

    private static JsonObject Of(ResultColumn column)
    {
        if (column.Value.Element is not { } element)
            return Value(column.Value.Oid, orElse: column.Nullable ? ["null"] : []);

        // One type covers arrays of any number of dimensions.
        while (element.Element is { } inner)
            element = inner;
        var array = Type(["array"], column.Nullable ? ["null"] : []);
        array["items"] = Value(element.Oid, orElse: ["null", "array"]);
        return array;
    }

    private static JsonObject Value(uint oid, string[] orElse)
    {
        switch (oid)
        {
            case Json or Jsonb:
                return [];
            case Int2 or Int4 or Int8:
                return Type(["integer"], orElse);
            case Bool:
                return Type(["boolean"], orElse);
            case Numeric or Float4 or Float8:
                var number = Type(["number", "string"], orElse);
                number["pattern"] = "^(NaN|-?Infinity)$";
                return number;
        }

        var text = Type(["string"], orElse);
        if (oid is Date or TimestampTz or Uuid)
            text["format"] = oid switch { Date => "date", TimestampTz => "date-time", _ => "uuid" };
        if (oid == Bytea)
            text["contentEncoding"] = "base64";
        return text;
    }

    private static JsonObject Type(string[] types, string[] orElse)
    {
        string[] all = [.. types, .. orElse];
        return new JsonObject
        {
            ["type"] = all is [var one] ? one : new JsonArray([.. all.Select(type => JsonValue.Create(type))]),
        };
    }
}
