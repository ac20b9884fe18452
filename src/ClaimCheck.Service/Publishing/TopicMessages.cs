using System.Text.Json;
using ClaimCheck.Aws;
using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Publishing;

/// <summary>Makes SNS messages of events: the envelope with a fresh link, and the same five attributes on each.</summary>
internal sealed class TopicMessages(FreshEvents events, PublishingOptions options)
{
    /// <returns>Null where it is a BulkReady whose batch is no longer ready.</returns>
    public async Task<OutgoingMessage?> MakeAsync(OutboxEvent row, CancellationToken cancellationToken)
    {
        if (await events.MakeAsync(row, cancellationToken) is not { } envelope)
            return null;
        var isFifo = options.TopicArn!.EndsWith(".fifo", StringComparison.Ordinal);
        return new OutgoingMessage(JsonSerializer.Serialize(envelope, ClaimCheckJson.Options))
        {
            Attributes = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["type"] = row.Type,
                ["dataset"] = row.Dataset,
                ["tenant"] = row.Tenant,
                ["consumer"] = row.Consumer,
                ["traceparent"] = row.TraceParent,
            },
            GroupId = isFifo ? envelope.Subject : null,
            DeduplicationId = isFifo ? envelope.Id.ToString() : null,
        };
    }
}
