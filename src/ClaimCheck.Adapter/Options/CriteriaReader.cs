namespace ClaimCheck.Adapter.Options;

/// <summary>
/// Criteria from the configuration, which has only text: what is JSON counts as JSON (<c>5</c>, <c>true</c>, <c>["a"]</c>,
/// <c>"5"</c> with its quotes), anything else as text; numbered children are an array.
/// </summary>
internal static class CriteriaReader
{
    public static IReadOnlyDictionary<string, JsonElement> Read(IConfigurationSection section) =>
        section.GetChildren().ToDictionary(child => child.Key, ValueOf, StringComparer.Ordinal);

    private static JsonElement ValueOf(IConfigurationSection section)
    {
        var children = section.GetChildren().ToList();
        if (children.Count == 0)
            return Parse(section.Value);
        return children.All(child => int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            ? JsonSerializer.SerializeToElement(
                children.OrderBy(child => int.Parse(child.Key, CultureInfo.InvariantCulture)).Select(ValueOf))
            : JsonSerializer.SerializeToElement(Read(section));
    }

    private static JsonElement Parse(string? text)
    {
        // How the configuration writes JSON's true and false.
        if (text is "True" or "False")
            return JsonElement.Parse(text.ToLowerInvariant());
        try
        {
            return string.IsNullOrEmpty(text) ? JsonSerializer.SerializeToElement(text) : JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(text);
        }
    }
}
