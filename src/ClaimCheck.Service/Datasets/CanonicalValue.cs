namespace ClaimCheck.Service.Datasets;

/// <summary>The canonical text of each value of a parameter's type. Stricter than Postgres: nothing that depends on a setting or
/// on the time of day ("tomorrow", "infinity", a time without a zone) is accepted.</summary>
internal static class CanonicalValue
{
    // Postgres accepts more, but no caller needs it.
    private const int MostElements = 10_000;

    /// <param name="writer">The target.</param>
    /// <param name="type">One of <see cref="SourceTypes"/>.</param>
    /// <param name="value">The value as the caller gave it.</param>
    /// <exception cref="FormatException">The value does not fit; the text is the rule, without the value.</exception>
    public static void Write(Utf8JsonWriter writer, string type, JsonElement value)
    {
        if (SourceTypes.IsArray(type))
            WriteArray(writer, SourceTypes.ElementOf(type), value);
        else if (SourceTypes.IsJson(type))
            CanonicalJson.Write(writer, value);
        else
            WriteScalar(writer, type, value);
    }

    private static void WriteArray(Utf8JsonWriter writer, string element, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MostElements)
            throw new FormatException($"must be an array of {element}, of at most {MostElements} elements");
        writer.WriteStartArray();
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.Null)
                throw new FormatException("must be an array without null");
            WriteScalar(writer, element, item);
        }

        writer.WriteEndArray();
    }

    private static void WriteScalar(Utf8JsonWriter writer, string type, JsonElement value)
    {
        switch (type)
        {
            case "boolean":
                if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                    throw new FormatException("must be true or false");
                writer.WriteBooleanValue(value.GetBoolean());
                break;
            case "smallint" or "integer" or "bigint" or "numeric" or "real" or "double precision":
                writer.WriteRawValue(CanonicalNumber.Of(type, value));
                break;
            default:
                writer.WriteStringValue(TextOf(type, value));
                break;
        }
    }

    private static string TextOf(string type, JsonElement value)
    {
        var text = Text(value);
        return type switch
        {
            "text" or "varchar" => text,
            "uuid" => Uuid(text),
            "date" => Date(text),
            "time" => CanonicalTime.OfDay(text),
            "timestamp" => CanonicalTime.Local(text),
            "timestamptz" => CanonicalTime.Utc(text),
            "interval" => CanonicalInterval.Of(text),
            _ => throw new InvalidOperationException($"The type {type} has no canonical form."),
        };
    }

    /// <summary>A JSON string that is text to Postgres: no NUL, no half of a surrogate pair.</summary>
    public static string Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw new FormatException("must be a string");
        try
        {
            var text = value.GetString()!;
            return text.Contains('\0', StringComparison.Ordinal)
                ? throw new FormatException("must be text without NUL characters")
                : text;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException("must be well-formed Unicode text", e);
        }
    }

    private static string Uuid(string text) =>
        // TryParseExact would also accept blanks around it.
        text.Length == 36 && Guid.TryParseExact(text, "D", out var uuid)
        && uuid.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)
            ? uuid.ToString()
            : throw new FormatException("must be a UUID, such as 01890a5d-ac96-774b-bcce-b302099a8057");

    private static string Date(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            : throw new FormatException("must be a date, such as 2026-01-31");
}
