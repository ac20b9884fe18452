using System.Text.Json;

namespace ClaimCheck.Aws.Wire;

/// <summary>
/// Whether an answer is of SQS's protocol, before the SDK reads it: where an object is in place of the list of messages, its
/// reader loops for ever, and anything but an object it treats as an answer without messages. (Seen with AWSSDK.SQS 4.0.100.)
/// </summary>
internal static class SqsAnswers
{
    /// <returns>Null where it is; else what is wrong, which quotes nothing.</returns>
    public static string? FaultOf(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return "it is not a JSON object";
            while (reader.Read())
            {
                if (reader is { TokenType: JsonTokenType.String, ValueIsEscaped: true })
                    reader.GetString(); // fails at half of a surrogate pair
                if (reader is not { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 }
                    || !reader.ValueTextEquals("Messages"u8))
                    continue;
                reader.Read();
                if (reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.Null))
                    return "its Messages are not a list";
            }

            return null;
        }
        catch (JsonException)
        {
            return json.IsEmpty ? "it is empty" : "it is not complete JSON";
        }
        catch (InvalidOperationException)
        {
            return "it contains text that is not Unicode";
        }
    }
}
