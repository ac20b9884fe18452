namespace ClaimCheck.Service.Datasets;

/// <summary>The fields of one JSON object of a definition: each is taken once, and unknown ones are refused.</summary>
internal sealed class DefinitionFields
{
    private readonly string path;
    private readonly OrderedDictionary<string, JsonElement> left;
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

    public DefinitionFields(string path, JsonElement value)
    {
        this.path = path;
        left = Object(path, value);
    }

    /// <summary>A field's value, or the default where there is none.</summary>
    public T? Take<T>(string name, Func<string, JsonElement, T?> read)
    {
        known.Add(name);
        return left.Remove(name, out var value) ? Read(Path(name), value, read) : default;
    }

    public DefinitionException Missing(string name) => new($"{Path(name)} is missing") { Field = path };

    public void NothingLeft()
    {
        if (left.Count == 0)
            return;
        var field = left.GetAt(0).Key;
        var nearest = NearestName.Of(field, known) is { } name ? $"; the nearest is {Path(name)}" : "";
        throw new DefinitionException($"unknown field {Path(field)}{nearest}") { Field = Path(field) };
    }

    public static OrderedDictionary<string, JsonElement> Object(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object
            ? new(value.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, property.Value)))
            : throw new DefinitionException($"{(field.Length == 0 ? "it" : field)} must be an object") { Field = field };

    public static string? Text(string field, JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text && !string.IsNullOrWhiteSpace(text)
            ? text.Contains('\0', StringComparison.Ordinal)
                ? throw new FormatException($"{field} must have no NUL character")
                : text
            : throw new FormatException($"{field} must be text that is not empty");

    public static bool? Flag(string field, JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw new FormatException($"{field} must be true or false");

    private static T? Read<T>(string field, JsonElement value, Func<string, JsonElement, T?> read)
    {
        try
        {
            return read(field, value);
        }
        catch (Exception e) when (e is FormatException and not DefinitionException or InvalidOperationException)
        {
            throw new DefinitionException(e.Message.TrimEnd('.'), e) { Field = field };
        }
    }

    private string Path(string name) => path.Length == 0 ? name : $"{path}.{name}";
}
