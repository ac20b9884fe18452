using System.Runtime.InteropServices;
using System.Text.Json;

namespace ClaimCheck.Records;

/// <summary>JSON of callers, in which no name may come twice and every text must be one. How deep it may be nested is said apart from that.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Any = new() { MaxDepth = int.MaxValue };

    /// <param name="utf8">The JSON.</param>
    /// <param name="limit">How many levels it may be nested.</param>
    /// <param name="values">A field of the outermost object whose value is not looked into: its reader tells what is wrong with each of its parts.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">It holds text that is not well-formed Unicode.</exception>
    /// <exception cref="FormatException">A name comes twice; the text is the end of a sentence.</exception>
    /// <exception cref="JsonTooDeepException">It is nested deeper.</exception>
    public static async Task<JsonElement> ReadAsync(Stream utf8, int limit, string? values, CancellationToken cancellationToken)
    {
        using var document = await JsonDocument.ParseAsync(utf8, Any, cancellationToken);
        Check(JsonMarshal.GetRawUtf8Value(document.RootElement), limit, values);
        return document.RootElement.Clone();
    }

    // Invalid UTF-8 and halves of surrogate pairs are found only when texts are read: here, once for all readers.
    private static void Check(ReadOnlySpan<byte> json, int limit, string? values)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = int.MaxValue });
        var names = new Stack<HashSet<string>>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    if (reader.CurrentDepth >= limit)
                        throw new JsonTooDeepException(limit);
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
                        reader.Skip();
                    break;
            }
        }
    }
}

/// <summary>JSON is nested deeper than its reader takes: it may be well-formed all the same. The text is the end of a sentence.</summary>
internal sealed class JsonTooDeepException(int limit) : FormatException($"is nested deeper than {limit} levels, which is the limit");
