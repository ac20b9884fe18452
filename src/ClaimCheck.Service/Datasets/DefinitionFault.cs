namespace ClaimCheck.Service.Datasets;

/// <summary>What is wrong with one definition: its file, the line where that is known, and the reason, the end
/// of a sentence.</summary>
internal sealed record DefinitionFault(string File, int? Line, string Reason)
{
    /// <summary>The reason's own code, where it has one.</summary>
    public string Code { get; init; } = ProblemCodes.DefinitionInvalid;

    public Unavailability Unavailable => new(Code, ToString());

    public override string ToString() => Line is { } line ? $"{File}:{line}: {Reason}." : $"{File}: {Reason}.";
}

/// <summary>A definition can't be understood. The text is the reason, as the end of a sentence.</summary>
internal sealed class DefinitionException(string reason, Exception? inner = null) : FormatException(reason, inner)
{
    /// <summary>True where the statement is at fault, not the JSON beside it.</summary>
    public bool IsInSql { get; init; }

    /// <summary>The line, where it is known.</summary>
    public int? Line { get; init; }

    /// <summary>The JSON's field, such as <c>parameters.since.type</c>, where one is at fault; empty for the whole
    /// document.</summary>
    public string? Field { get; init; }

    /// <summary>The line of a JSON text that a field is on.</summary>
    public static int? LineOf(ReadOnlySpan<byte> json, string field)
    {
        json = json.StartsWith("\uFEFF"u8) ? json[3..] : json;
        var reader = new Utf8JsonReader(json);
        var path = new List<string>();
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    path.RemoveRange(
                        Math.Min(path.Count, reader.CurrentDepth - 1), Math.Max(0, path.Count - reader.CurrentDepth + 1));
                    path.Add(reader.GetString()!);
                }

                if (string.Join('.', path) == field)
                    return json[..(int)reader.TokenStartIndex].Count((byte)'\n') + 1;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What can't be read has no line numbers.
        }

        return null;
    }
}
