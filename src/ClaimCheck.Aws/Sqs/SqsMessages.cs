using System.Globalization;
using System.Text;
using System.Text.Json;
using Amazon.Util;
using ClaimCheck.Aws.Wire;

namespace ClaimCheck.Aws.Sqs;

/// <summary>Messages and the outcomes of batches, written and read.</summary>
internal static class SqsMessages
{
    public static void Write(Utf8JsonWriter json, OutgoingMessage message, TimeSpan? delay)
    {
        json.WriteString("MessageBody", message.Body);
        if (message.Attributes.Count > 0)
        {
            json.WriteStartObject("MessageAttributes");
            foreach (var (name, value) in message.Attributes)
            {
                json.WriteStartObject(name);
                json.WriteString("DataType", "String");
                json.WriteString("StringValue", value);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        if (message.GroupId is not null)
            json.WriteString("MessageGroupId", message.GroupId);
        if (message.DeduplicationId is not null)
            json.WriteString("MessageDeduplicationId", message.DeduplicationId);
        if (delay is { } wait)
            json.WriteNumber("DelaySeconds", (int)Math.Ceiling(wait.TotalSeconds));
    }

    public static List<ReceivedMessage> ReadReceived(JsonElement answer) => [.. SqsProtocol.Items(answer, "Messages").Select(ReadOne)];

    /// <summary>The id that a sent message got, if what the server stored is what was sent.</summary>
    public static string ReadSent(JsonElement sent, OutgoingMessage message)
    {
        CheckMd5(SqsProtocol.Text(sent, "MD5OfMessageBody"), message.Body);
        return SqsProtocol.RequiredText(sent, "MessageId");
    }

    /// <summary>Outcomes in the order of the entries, whose ids are their places.</summary>
    public static BatchOutcome[] ReadOutcomes(JsonElement answer, string call, int count, Func<JsonElement, int, string?> succeeded)
    {
        var outcomes = new BatchOutcome[count];
        foreach (var entry in SqsProtocol.Items(answer, "Successful"))
        {
            var index = BatchEntries.IndexOf(SqsProtocol.Text(entry, "Id"), count);
            outcomes[index] = new BatchOutcome { MessageId = succeeded(entry, index) };
        }
        foreach (var entry in SqsProtocol.Items(answer, "Failed"))
        {
            var index = BatchEntries.IndexOf(SqsProtocol.Text(entry, "Id"), count);
            var isSendersFault = !entry.TryGetProperty("SenderFault", out var fault) || fault.ValueKind != JsonValueKind.False;
            outcomes[index] = BatchEntries.Failed(call, index, SqsProtocol.Text(entry, "Code"), isSendersFault);
        }
        return BatchEntries.Complete(outcomes, call);
    }

    private static ReceivedMessage ReadOne(JsonElement message)
    {
        var body = SqsProtocol.RequiredText(message, "Body");
        CheckMd5(SqsProtocol.Text(message, "MD5OfBody"), body);
        var system = SqsProtocol.Texts(message, "Attributes");
        return new ReceivedMessage
        {
            MessageId = SqsProtocol.RequiredText(message, "MessageId"),
            ReceiptHandle = SqsProtocol.RequiredText(message, "ReceiptHandle"),
            Body = body,
            Attributes = ReadAttributes(message),
            ReceiveCount = int.TryParse(system.GetValueOrDefault("ApproximateReceiveCount"), CultureInfo.InvariantCulture, out var count) ? count : 1,
            SentAt = Time(system.GetValueOrDefault("SentTimestamp")),
            FirstReceivedAt = Time(system.GetValueOrDefault("ApproximateFirstReceiveTimestamp")),
            GroupId = system.GetValueOrDefault("MessageGroupId"),
        };
    }

    private static Dictionary<string, string> ReadAttributes(JsonElement message)
    {
        var attributes = new Dictionary<string, string>();
        if (message.TryGetProperty("MessageAttributes", out var all) && all.ValueKind == JsonValueKind.Object)
        {
            foreach (var attribute in all.EnumerateObject())
            {
                if (SqsProtocol.Text(attribute.Value, "StringValue") is { } value)
                    attributes[attribute.Name] = value;
            }
        }
        return attributes;
    }

    private static DateTimeOffset? Time(string? milliseconds) =>
        long.TryParse(milliseconds, CultureInfo.InvariantCulture, out var value) && value is >= 0 and < 253_402_300_800_000
            ? DateTimeOffset.FromUnixTimeMilliseconds(value)
            : null;

    // A check against damage, and the one that SQS offers. The SDK's MD5 also works where the system's is refused (FIPS).
    private static void CheckMd5(string? stated, string body)
    {
        if (stated is null)
            return;
        var actual = CryptoUtilFactory.CryptoInstance.ComputeMD5Hash(Encoding.UTF8.GetBytes(body));
        if (!stated.Equals(Convert.ToHexString(actual), StringComparison.OrdinalIgnoreCase))
            throw new UnreadableException("a message does not have the MD5 that it states");
    }
}
