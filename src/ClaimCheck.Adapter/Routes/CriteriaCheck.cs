namespace ClaimCheck.Adapter.Routes;

/// <summary>Checks whether a route's request fits the dataset, as the service describes it.</summary>
internal static class CriteriaCheck
{
    /// <summary>What does not fit, or null. Where callers add criteria of their own, none counts as missing.</summary>
    public static string? Problem(Route route, DatasetInfo dataset)
    {
        var problems = new List<string>();
        foreach (var (name, value) in route.Criteria)
        {
            if (!dataset.Parameters.TryGetValue(name, out var parameter))
            {
                problems.Add(dataset.Parameters.Count == 0
                    ? $"Criteria:{name} is set, but the dataset has no parameters"
                    : $"Criteria:{name} is set, but the dataset has "
                        + $"{string.Join(", ", dataset.Parameters.Keys.Order(StringComparer.Ordinal))}");
            }
            else if (value.ValueKind != JsonValueKind.Null && RuleOf(parameter.Type, value) is { } rule)
            {
                problems.Add($"Criteria:{name} ({parameter.Type}) must be {rule}, but is {Shown(value)}");
            }
        }

        problems.AddRange(
            from each in dataset.Parameters
            where each.Value.Required && !route.IsOnDemand
                && !(route.Criteria.TryGetValue(each.Key, out var value) && value.ValueKind != JsonValueKind.Null)
            select $"Criteria:{each.Key} ({each.Value.Type}) is not set, but the dataset requires it");
        if (route.Format is { } format && !dataset.Formats.Contains(format, StringComparer.Ordinal))
            problems.Add($"Format is '{format}', but the dataset has {string.Join(", ", dataset.Formats)}");
        if (route.Compression is { } compression && !dataset.Compressions.Contains(compression, StringComparer.Ordinal))
            problems.Add($"Compression is '{compression}', but the dataset has {string.Join(", ", dataset.Compressions)}");
        return problems.Count == 0 ? null : string.Join("; ", problems);
    }

    // The rule of the service, as far as the JSON kind tells; null where it fits.
    private static string? RuleOf(string type, JsonElement value)
    {
        if (type.EndsWith("[]", StringComparison.Ordinal))
        {
            return value.ValueKind == JsonValueKind.Array
                && value.EnumerateArray().All(item => item.ValueKind != JsonValueKind.Null && RuleOf(type[..^2], item) is null)
                ? null
                : $"an array of {type[..^2]}";
        }

        return type switch
        {
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : "true or false",
            "smallint" => IsWhole(value, short.MinValue, short.MaxValue) ? null : "a whole number of 16 bits",
            "integer" => IsWhole(value, int.MinValue, int.MaxValue) ? null : "a whole number of 32 bits",
            "bigint" => IsWhole(value, long.MinValue, long.MaxValue) ? null : "a whole number of 64 bits",
            "numeric" or "real" or "double precision" => value.ValueKind == JsonValueKind.Number ? null : "a number",
            "text" or "varchar" or "interval" =>
                value.ValueKind == JsonValueKind.String ? null : "text: write it in quotes of its own",
            "uuid" => Is(value, text => Guid.TryParseExact(text, "D", out _)) ? null : "a UUID",
            "date" => Is(value, text =>
                DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
                ? null
                : "a date, such as 2026-01-31",
            "time" => Is(value, text => TimeOnly.TryParse(text, CultureInfo.InvariantCulture, out _))
                ? null
                : "a time of day, such as 12:30:00",
            "timestamp" => IsTime(value, hasOffset: false) ? null : "a time without an offset, such as 2026-01-31T12:30:00",
            "timestamptz" => IsTime(value, hasOffset: true) ? null : "a time with its offset, such as 2026-01-31T12:30:00Z",
            _ => null,
        };
    }

    private static bool Is(JsonElement value, Func<string, bool> fits) =>
        value.ValueKind == JsonValueKind.String && fits(value.GetString()!);

    private static bool IsTime(JsonElement value, bool hasOffset) => Is(value, text =>
        text.Length >= 19 && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _)
        && (text.EndsWith("Z", StringComparison.OrdinalIgnoreCase) || text.AsSpan(19).ContainsAny('+', '-')) == hasOffset);

    private static bool IsWhole(JsonElement value, long least, long most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && number >= least && number <= most
        && decimal.Truncate(number) == number;

    // It is the operator's own setting.
    private static string Shown(JsonElement value) =>
        value.GetRawText() is { Length: > 100 } text ? text[..100] + "…" : value.GetRawText();
}
