using ClaimCheck.Aws.SimpleNotificationService;

namespace ClaimCheck.Service.Publishing;

/// <summary>Builds SNS messages from events: the envelope with a fresh link, and the same five attributes on each.</summary>
internal sealed class TopicMessages(FreshEvents events, PublishingOptions options)
{
    /// <returns>Null where it is a BulkReady whose batch is no longer ready.</returns>
    public async Task<PublishBatchRequestEntry?> MakeAsync(OutboxEvent row, CancellationToken cancellationToken)
    {
        if (await events.MakeAsync(row, cancellationToken) is not { } envelope)
            return null;
        var isFifo = options.TopicArn!.EndsWith(".fifo", StringComparison.Ordinal);
        return new PublishBatchRequestEntry
        {
            Id = envelope.Id.ToString(),
            Message = JsonSerializer.Serialize(envelope, ClaimCheckJson.Options),
            MessageAttributes = new(StringComparer.Ordinal)
            {
                ["type"] = Text(row.Type),
                ["dataset"] = Text(row.Dataset),
                ["tenant"] = Text(row.Tenant),
                ["consumer"] = Text(row.Consumer),
                ["traceparent"] = Text(row.TraceParent),
            },
            MessageGroupId = isFifo ? envelope.Subject : null,
            MessageDeduplicationId = isFifo ? envelope.Id.ToString() : null,
        };
    }

    /// <summary>The size that SNS's limits count: UTF-8 bytes of the text and of the attributes' names, types and
    /// values.</summary>
    public static int SizeOf(PublishBatchRequestEntry message) =>
        Encoding.UTF8.GetByteCount(message.Message) + message.MessageAttributes.Sum(
            attribute => Encoding.UTF8.GetByteCount(attribute.Key + attribute.Value.DataType + attribute.Value.StringValue));

    private static MessageAttributeValue Text(string value) => new() { DataType = "String", StringValue = value };
}
