namespace ClaimCheck.Records;

/// <summary>How many levels JSON may be nested, for all readers: the one place that defines it.</summary>
internal static class JsonDepth
{
    /// <summary>
    /// For a record, its own level included. Postgres with its usual stack (max_stack_depth of 2 MB) ends between 12,000 and
    /// 15,000 levels of json: what it stores is within the limit. The readers keep a bit for each level, and never recurse.
    /// </summary>
    public const int OfRecords = 16_000;

    /// <summary>For a value within a record: a line of its own and the dimensions of an array surround it.</summary>
    public const int OfValues = OfRecords - 8;

    /// <summary>For what surrounds a record in a document.</summary>
    public const int OfEnvelopes = 8;

    /// <summary>For a value in criteria, which are stored, answered and sent on in documents.</summary>
    public const int OfCriteria = 48;

    /// <summary>For documents that contain criteria.</summary>
    public const int OfDocuments = 64;

    /// <summary>The end of a sentence about a record.</summary>
    public static string Rule { get; } = $"is nested deeper than {OfRecords} levels, which is the limit";

    /// <summary>Reads records.</summary>
    public static JsonReaderOptions Reader { get; } = new() { MaxDepth = OfRecords };

    /// <summary>Reads documents that contain records.</summary>
    public static JsonReaderOptions Enveloped { get; } = new() { MaxDepth = OfRecords + OfEnvelopes };

    /// <summary>Whether a parser failed because of this limit, and not because of invalid JSON.</summary>
    public static bool IsExceeded(ReadOnlySpan<byte> json, int limit = OfRecords)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = int.MaxValue });
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth >= limit && reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
                    return true;
            }
        }
        catch (JsonException)
        {
            // It is invalid JSON before it is too deep.
        }

        return false;
    }
}
