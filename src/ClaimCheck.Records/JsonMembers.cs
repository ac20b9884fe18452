namespace ClaimCheck.Records;

/// <summary>One field of an object, and the position of its value.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">The value's first token.</param>
/// <param name="Start">Where the value begins.</param>
/// <param name="Length">How long it is.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct JsonMember(string Name, JsonTokenType Kind, int Start, int Length)
{
    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> json) => json.Slice(Start, Length);

    /// <summary>The text of a string.</summary>
    /// <exception cref="InvalidOperationException">It is not a string, or not well-formed Unicode.</exception>
    public string TextIn(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(In(json));
        reader.Read();
        return reader.GetString()!;
    }
}

/// <summary>
/// The fields of one object, in one pass: nested content is skipped, not parsed. A document of all of it would take a time that
/// grows with the square of its depth.
/// </summary>
internal static class JsonMembers
{
    /// <param name="json">One value.</param>
    /// <param name="options">How deep it may be nested.</param>
    /// <param name="members">Receives its fields, in their order.</param>
    /// <returns>False where it is not an object.</returns>
    /// <exception cref="JsonException">It is not one JSON value.</exception>
    /// <exception cref="InvalidOperationException">A name is not well-formed Unicode.</exception>
    public static bool TryRead(ReadOnlySpan<byte> json, JsonReaderOptions options, List<JsonMember> members)
    {
        members.Clear();
        var reader = new Utf8JsonReader(json, options);
        reader.Read();
        var isObject = reader.TokenType == JsonTokenType.StartObject;
        while (isObject && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var (kind, start) = (reader.TokenType, (int)reader.TokenStartIndex);
            reader.Skip();
            members.Add(new(name, kind, start, (int)reader.BytesConsumed - start));
        }

        while (reader.Read())
        {
            // Throws where anything but white space follows.
        }

        return isObject;
    }

    /// <summary>The field of an object; none where that name is missing.</summary>
    /// <exception cref="JsonException">It is not one JSON value.</exception>
    public static JsonMember? Find(ReadOnlySpan<byte> json, string name)
    {
        var members = new List<JsonMember>();
        TryRead(json, JsonDepth.Enveloped, members);
        foreach (var member in members)
        {
            if (member.Name == name)
                return member;
        }

        return null;
    }
}
