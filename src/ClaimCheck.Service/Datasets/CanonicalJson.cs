namespace ClaimCheck.Service.Datasets;

/// <summary>JSON as a value: names sorted, numbers in plain digits, nothing that jsonb would refuse.</summary>
internal static class CanonicalJson
{
    /// <exception cref="FormatException">It holds what jsonb can't: a NUL character, half a surrogate pair,
    /// one name twice.</exception>
    public static void Write(Utf8JsonWriter writer, JsonElement value) => Write(writer, value, depth: 1);

    private static void Write(Utf8JsonWriter writer, JsonElement value, int depth)
    {
        if (depth > JsonDepth.OfCriteria && value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
            throw new FormatException($"must be JSON of at most {JsonDepth.OfCriteria} levels");
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var (name, member) in Members(value))
                {
                    writer.WritePropertyName(name);
                    Write(writer, member, depth + 1);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                    Write(writer, item, depth + 1);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(CanonicalValue.Text(value));
                break;
            case JsonValueKind.Number:
                writer.WriteRawValue(CanonicalNumber.Plain(value.GetRawText()));
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private static SortedDictionary<string, JsonElement> Members(JsonElement value)
    {
        var members = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        try
        {
            foreach (var member in value.EnumerateObject())
            {
                if (member.Name.Contains('\0', StringComparison.Ordinal))
                    throw new FormatException("must be text without NUL characters");
                if (!members.TryAdd(member.Name, member.Value))
                    throw new FormatException("must be JSON without one name twice in an object");
            }
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException("must be well-formed Unicode text", e);
        }

        return members;
    }
}
