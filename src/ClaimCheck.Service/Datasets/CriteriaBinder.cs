using System.Text.Encodings.Web;

namespace ClaimCheck.Service.Datasets;

/// <summary>Valid criteria in canonical form, or what is wrong with them, by field.</summary>
/// <param name="Canonical">An object of the given parameters, in the definition's order. Two criteria that mean the same are the
/// same text.</param>
internal sealed record BoundCriteria(JsonElement Canonical, IReadOnlyDictionary<string, string[]> Errors)
{
    public bool IsValid => Errors.Count == 0;
}

/// <summary>Checks the values that a caller gave for a dataset's parameters. Postgres can read every value that passes.</summary>
internal static class CriteriaBinder
{
    private const string Field = "criteria";

    // It is stored and answered as JSON, never inlined into HTML.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="dataset">The dataset that declares the parameters.</param>
    /// <param name="criteria">An object; if missing, an empty one.</param>
    public static BoundCriteria Bind(Dataset dataset, JsonElement? criteria)
    {
        if (criteria is not { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } given)
            return BindEach(dataset, []);
        if (given.ValueKind == JsonValueKind.Object)
            return BindEach(
                dataset, given.EnumerateObject().Select(property => KeyValuePair.Create(NameOf(property), property.Value)));
        return Refused(new() { [Field] = ["must be an object of parameters"] });
    }

    private static BoundCriteria BindEach(Dataset dataset, IEnumerable<KeyValuePair<string, JsonElement>> criteria)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var given = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, value) in criteria)
        {
            if (!dataset.Parameters.Any(parameter => parameter.Name == name))
                errors[$"{Field}.{name}"] = [Unknown(dataset)];
            else if (!given.TryAdd(name, value))
                errors[$"{Field}.{name}"] = ["is given twice"];
        }

        var canonical = Write(writer => WriteAll(writer, dataset, given, errors));
        return errors.Count == 0 ? new BoundCriteria(canonical, errors) : Refused(errors);
    }

    private static void WriteAll(
        Utf8JsonWriter writer, Dataset dataset, Dictionary<string, JsonElement> given, Dictionary<string, string[]> errors)
    {
        writer.WriteStartObject();
        foreach (var parameter in dataset.Parameters)
        {
            if (!given.TryGetValue(parameter.Name, out var value)
                || value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
            {
                if (parameter.Required)
                    errors.TryAdd($"{Field}.{parameter.Name}", [$"is required ({parameter.Type})"]);
                continue;
            }

            try
            {
                // Into a document of its own first: a value refused halfway must not leave an invalid one behind.
                var written = Write(part => CanonicalValue.Write(part, parameter.Type, value));
                writer.WritePropertyName(parameter.Name);
                writer.WriteRawValue(written.GetRawText(), skipInputValidation: true);
            }
            catch (FormatException refusal)
            {
                errors.TryAdd($"{Field}.{parameter.Name}", [refusal.Message]);
            }
        }

        writer.WriteEndObject();
    }

    private static string Unknown(Dataset dataset) => dataset.Parameters.Count == 0
        ? "is not known: the dataset has no parameters"
        : $"is not known: the dataset has {string.Join(", ", dataset.Parameters.Select(parameter => parameter.Name))}";

    // A name with half a surrogate pair can't be read; no parameter has such a name.
    private static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return "?";
        }
    }

    // Turns "must be a date" into a sentence, in one place.
    private static BoundCriteria Refused(Dictionary<string, string[]> errors) => new(
        default,
        errors.ToDictionary(
            error => error.Key,
            error => error.Value.Select(rule => char.ToUpperInvariant(rule[0]) + rule[1..] + ".").ToArray(),
            StringComparer.Ordinal));

    private static JsonElement Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Readable))
            write(writer);
        return JsonElement.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }
}
