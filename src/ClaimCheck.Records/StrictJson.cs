namespace ClaimCheck.Records;

/// <summary>Callers' JSON, without duplicate names and with valid Unicode only. Its depth is checked separately.</summary>
internal static class StrictJson
{
    private static readonly JsonReaderOptions Any = new() { MaxDepth = int.MaxValue };

    /// <summary>Reads a document.</summary>
    /// <param name="utf8">The JSON; its length is bounded elsewhere.</param>
    /// <param name="values">
    /// A field of the outermost object that contains values of records: its reader reports what is wrong with each of them. Null:
    /// there is none.
    /// </param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>The document, with that field set to null where it was an array, and the array as it is written.</returns>
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">It contains text that is not well-formed Unicode.</exception>
    /// <exception cref="JsonTooDeepException">It is nested deeper than documents may be.</exception>
    /// <exception cref="FormatException">A name comes twice; the text is the end of a sentence.</exception>
    public static async Task<(JsonElement Document, byte[]? Values)> ReadAsync(
        Stream utf8, string? values, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await utf8.CopyToAsync(buffer, cancellationToken);
        var json = buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
        // Some editors and clients put a byte order mark first. (RFC 8259, 8.1: a parser may ignore it.)
        if (json.Span.StartsWith("\uFEFF"u8))
            json = json["\uFEFF"u8.Length..];
        var (start, length) = Check(json.Span, values);
        if (length == 0)
            return (JsonElement.Parse(json.Span), null);
        byte[] without = [.. json.Span[..start], .. "null"u8, .. json.Span[(start + length)..]];
        return (JsonElement.Parse(without), json.Span.Slice(start, length).ToArray());
    }

    // Before anything is parsed: a document takes a time that grows with the square of its depth. Invalid UTF-8 and halves of
    // surrogate pairs are found only when texts are read: here, once for all readers.
    private static (int Start, int Length) Check(ReadOnlySpan<byte> json, string? values)
    {
        var reader = new Utf8JsonReader(json, Any);
        var names = new Stack<HashSet<string>>();
        var found = (Start: 0, Length: 0);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (reader.CurrentDepth >= JsonDepth.OfDocuments)
                        throw new JsonTooDeepException(JsonDepth.OfDocuments);
                    if (reader.TokenType == JsonTokenType.StartObject)
                        names.Push(new(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    names.Pop();
                    break;
                case JsonTokenType.String:
                    reader.GetString();
                    break;
                case JsonTokenType.PropertyName:
                    if (!names.Peek().Add(reader.GetString()!))
                        throw new FormatException("names a field twice in one object");
                    if (values is not null && reader.CurrentDepth == 1 && reader.ValueTextEquals(values))
                        found = Skip(ref reader);
                    break;
            }
        }

        return found;
    }

    private static (int Start, int Length) Skip(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return default;
        }

        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return (start, (int)reader.BytesConsumed - start);
    }
}

/// <summary>JSON is nested too deeply for its reader, but may be well-formed. The text is the end of a sentence.</summary>
internal sealed class JsonTooDeepException(int limit)
    : FormatException($"is nested deeper than {limit} levels, which is the limit");
