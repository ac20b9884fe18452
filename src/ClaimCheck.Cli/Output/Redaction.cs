namespace ClaimCheck.Cli.Output;

/// <summary>Answers as JSON, with links made unusable: what is printed ends up in logs and recordings.</summary>
internal static class Redaction
{
    private const string Mark = "?[redacted]";

    public static JsonNode ToJson<T>(T value, bool showLinks = false)
    {
        var node = JsonSerializer.SerializeToNode(value, ClaimCheckJson.Options)!;
        if (!showLinks)
            Redact(node);
        return node;
    }

    public static string Of(string link) => link.Split('?', 2)[0] + Mark;

    private static void Redact(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject json:
                foreach (var (name, value) in json.ToList())
                {
                    if (value is JsonValue && value.GetValueKind() == JsonValueKind.String
                        && IsLink(name, value.GetValue<string>()))
                        json[name] = Of(value.GetValue<string>());
                    else
                        Redact(value);
                }
                break;
            case JsonArray array:
                foreach (var item in array)
                    Redact(item);
                break;
        }
    }

    // The fields that contain links, and everything else that looks signed.
    private static bool IsLink(string name, string value) =>
        value.StartsWith("http", StringComparison.OrdinalIgnoreCase)
        && value.Split('?', 2) is [_, var query]
        && (name is "dataref" or "location" or "staging" or "url" or "resultUrl"
            || query.Contains("signature=", StringComparison.OrdinalIgnoreCase)
            || query.Contains("sig=", StringComparison.OrdinalIgnoreCase));
}
