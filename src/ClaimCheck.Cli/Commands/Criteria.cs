namespace ClaimCheck.Cli.Commands;

/// <summary>
/// The values of --where, written as JSON of the type of the dataset's parameter. The service checks the values.
/// </summary>
internal static class Criteria
{
    public static IReadOnlyDictionary<string, JsonElement> Of(DatasetInfo dataset, IReadOnlyList<string> given)
    {
        var criteria = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var values in given.Select(Split).GroupBy(pair => pair.Name, pair => pair.Value, StringComparer.Ordinal))
        {
            if (!dataset.Parameters.TryGetValue(values.Key, out var parameter))
            {
                var known = dataset.Parameters.Count == 0 ? "takes none" : $"takes {string.Join(", ", dataset.Parameters.Keys)}";
                throw new UsageException($"--where {values.Key}: the dataset {dataset.Name} {known}.");
            }
            criteria[values.Key] = Value(values.Key, parameter.Type, [.. values]);
        }
        return criteria;
    }

    private static (string Name, string Value) Split(string condition) =>
        condition.Split('=', 2) is [{ Length: > 0 } name, var value]
            ? (name, value)
            : throw new UsageException($"--where is '{condition}', but must be NAME=VALUE.");

    private static JsonElement Value(string name, string type, IReadOnlyList<string> values)
    {
        if (type.EndsWith("[]", StringComparison.Ordinal))
        {
            // [1,2] as JSON, or --where given once for each element.
            if (values is [var list] && list.StartsWith('['))
                return Parsed(name, type, list, JsonValueKind.Array);
            return JsonSerializer.SerializeToElement(
                new JsonArray([.. values.Select(value => JsonNode.Parse(Scalar(name, type[..^2], value).GetRawText()))]));
        }
        return values is [var only]
            ? Scalar(name, type, only)
            : throw new UsageException($"--where {name} is given {values.Count} times, but takes one value ({type}).");
    }

    private static JsonElement Scalar(string name, string type, string value) => type switch
    {
        "boolean" => value switch
        {
            "true" => JsonElement.Parse("true"),
            "false" => JsonElement.Parse("false"),
            _ => throw new UsageException($"--where {name} is '{value}', but must be true or false."),
        },
        "smallint" or "integer" or "bigint" or "numeric" or "real" or "double precision" =>
            Parsed(name, type, value, JsonValueKind.Number),
        "json" or "jsonb" => Parsed(name, type, value, null),
        _ => JsonSerializer.SerializeToElement(value, ClaimCheckJson.Options),
    };

    private static JsonElement Parsed(string name, string type, string value, JsonValueKind? kind)
    {
        try
        {
            var parsed = JsonElement.Parse(value);
            if (kind is null || parsed.ValueKind == kind)
                return parsed;
        }
        catch (JsonException)
        {
        }
        throw new UsageException(
            $"--where {name} is '{value}', but must be {(kind == JsonValueKind.Number ? "a number" : "JSON")} ({type}).");
    }
}
