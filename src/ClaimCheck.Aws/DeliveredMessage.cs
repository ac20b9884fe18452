using System.Text.Json;
using Amazon.SQS.Model;

namespace ClaimCheck.Aws;

/// <summary>
/// A published message, whichever way it came to the queue: raw, or in the envelope that a topic puts around it where raw
/// delivery is off (https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html). Its text form does not show the
/// content.
/// </summary>
public sealed class DeliveredMessage
{
    private DeliveredMessage(string body, IReadOnlyDictionary<string, string> attributes, string? topicArn) =>
        (Body, Attributes, TopicArn) = (body, attributes, topicArn);

    /// <summary>The text that was published.</summary>
    public string Body { get; }

    /// <summary>The attributes that were published with it, those that are text or numbers.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; }

    /// <summary>The topic, where the envelope names it; null for raw delivery.</summary>
    public string? TopicArn { get; }

    /// <summary>Whether it came in an envelope.</summary>
    public bool WasEnveloped => TopicArn is not null;

    /// <summary>The attribute <c>type</c>, for example <c>BulkReady</c>; null without.</summary>
    public string? Type => Attributes.GetValueOrDefault("type");

    /// <summary>The attribute <c>dataset</c>; null without.</summary>
    public string? Dataset => Attributes.GetValueOrDefault("dataset");

    /// <summary>The attribute <c>tenant</c>; null without.</summary>
    public string? Tenant => Attributes.GetValueOrDefault("tenant");

    /// <summary>The attribute <c>consumer</c>: <c>*</c>, or the one consumer that it is for; null without.</summary>
    public string? Consumer => Attributes.GetValueOrDefault("consumer");

    /// <summary>The attribute <c>traceparent</c> (https://www.w3.org/TR/trace-context/); null without.</summary>
    public string? TraceParent => Attributes.GetValueOrDefault("traceparent");

    /// <summary>
    /// Opens the envelope, where there is one. Never fails: a body that is not an envelope was published as it is.
    /// </summary>
    /// <param name="message">As it was received.</param>
    public static DeliveredMessage Open(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        // Texts and numbers; binary ones have no string value.
        var attributes = (message.MessageAttributes ?? []).Where(attribute => attribute.Value.StringValue is not null)
            .ToDictionary(attribute => attribute.Key, attribute => attribute.Value.StringValue, StringComparer.Ordinal);
        return Open(message.Body, attributes);
    }

    /// <summary>
    /// Opens the envelope, where there is one. Never fails: a body that is not an envelope was published as it is.
    /// </summary>
    /// <param name="body">The text as it was received.</param>
    /// <param name="attributes">The attributes as they were received.</param>
    public static DeliveredMessage Open(string body, IReadOnlyDictionary<string, string> attributes)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(attributes);
        // Cheap, and true of every envelope: most messages are raw.
        if (!body.Contains("\"Notification\"", StringComparison.Ordinal))
            return new DeliveredMessage(body, attributes, topicArn: null);
        try
        {
            using var document = JsonDocument.Parse(body);
            var envelope = document.RootElement;
            if (Text(envelope, "Type") == "Notification" && Text(envelope, "TopicArn") is { } topic
                && Text(envelope, "Message") is { } inner)
                return new DeliveredMessage(inner, AttributesOf(envelope), topic);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // Not JSON, or it contains text that is not Unicode.
        }
        return new DeliveredMessage(body, attributes, topicArn: null);
    }

    /// <summary>The type and the names of the attributes.</summary>
    public override string ToString() =>
        $"[{Type ?? "message"} of {Body.Length} characters; attributes: {string.Join(", ", Attributes.Keys)}]";

    private static Dictionary<string, string> AttributesOf(JsonElement envelope)
    {
        var attributes = new Dictionary<string, string>();
        if (envelope.TryGetProperty("MessageAttributes", out var all) && all.ValueKind == JsonValueKind.Object)
        {
            foreach (var attribute in all.EnumerateObject())
            {
                if (Text(attribute.Value, "Type") is { } type && !type.StartsWith("Binary", StringComparison.Ordinal) &&
                    Text(attribute.Value, "Value") is { } value)
                {
                    attributes[attribute.Name] = value;
                }
            }
        }
        return attributes;
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
