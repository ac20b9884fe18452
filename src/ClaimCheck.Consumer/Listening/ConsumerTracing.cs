using System.Diagnostics;

namespace ClaimCheck.Consumer.Listening;

/// <summary>One activity for each event handled, in the trace of the export (https://www.w3.org/TR/trace-context/).</summary>
internal static class ConsumerTracing
{
    private static readonly ActivitySource Source = new(ClaimCheckConsumerOptions.ActivitySourceName);

    public static Activity? Begin(IncomingEvent incoming)
    {
        var parent = ActivityContext.TryParse(incoming.TraceParent, null, isRemote: true, out var parsed) ? parsed : default;
        var activity = Source.StartActivity("process " + incoming.Event.Type, ActivityKind.Consumer, parent);
        return activity?
            .SetTag("messaging.operation.type", "process")
            .SetTag("claimcheck.event_id", incoming.Event.Id.ToString())
            .SetTag("claimcheck.batch_id", incoming.BatchId?.ToString());
    }
}
