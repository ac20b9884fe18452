namespace ClaimCheck.Service.Exports;

/// <summary>Reads the fields of a body; collects what is wrong with each.</summary>
internal sealed class FieldReader(JsonElement body)
{
    private readonly HashSet<string> known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> errors = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string[]> Errors => errors;

    public void Fail(string field, params string[] messages) =>
        errors[field] = [.. errors.GetValueOrDefault(field, []), .. messages];

    /// <summary>The field's value; null where it is left out or null.</summary>
    public JsonElement? Take(string field)
    {
        known.Add(field);
        return body.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public string? Text(string field, bool required)
    {
        var value = Take(field);
        if (value is { ValueKind: JsonValueKind.String } text)
            return text.GetString();
        if (value is not null)
            Fail(field, "Must be text.");
        else if (required)
            Fail(field, "Must be given.");
        return null;
    }

    public string? OneOf(string field, params string[] choices)
    {
        var text = Text(field, required: false);
        if (text is null || choices.Contains(text, StringComparer.Ordinal))
            return text;
        Fail(field, $"Must be one of {string.Join(", ", choices)}.");
        return null;
    }

    public long? Whole(string field, long least, long most)
    {
        if (Take(field) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most)
            return number;
        Fail(field, $"Must be a whole number from {least} to {most}.");
        return null;
    }

    public TimeSpan? Duration(string field, TimeSpan least, TimeSpan most)
    {
        if (Take(field) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.String && IsoDuration.TryParse(value.GetString(), out var duration)
            && duration >= least && duration <= most)
        {
            return duration;
        }

        Fail(field, $"Must be an ISO 8601 duration without years and months, from {IsoDuration.Format(least)} to "
            + $"{IsoDuration.Format(most)}.");
        return null;
    }

    public bool? Flag(string field)
    {
        if (Take(field) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Fail(field, "Must be true or false.");
        return null;
    }

    public void RefuseOthers()
    {
        foreach (var property in body.EnumerateObject().Where(property => !known.Contains(property.Name)))
            Fail(property.Name, NearestName.NotAField(property.Name, known));
    }
}
