using System.Diagnostics;
using System.Text.Json;
using ClaimCheck.Contracts;
using Dapper;
using EventId = ClaimCheck.Contracts.EventId;

namespace ClaimCheck.Service.Catalog;

/// <summary>What an event is about, and whom it is for: <c>*</c> for all, or one consumer.</summary>
internal sealed record EventSubject(Guid ExportId, Guid BatchId, string Tenant, string Dataset, string Consumer = "*");

/// <summary>Events are inserted here, in the transaction of what they tell. No row holds a link.</summary>
internal static class Outbox
{
    public static async Task<EventId> AddAsync(
        Transaction transaction, string type, EventSubject subject, object data, CancellationToken cancellationToken)
    {
        var id = EventId.New();
        await transaction.Connection.ExecuteAsync(transaction.Command(
            """
            INSERT INTO outbox (event_id, export_id, batch_id, tenant, dataset, type, consumer, data, traceparent)
            VALUES (@EventId, @ExportId, @BatchId, @Tenant, @Dataset, @type, @Consumer, @Data::json, @TraceParent)
            """,
            new
            {
                EventId = id.Value,
                subject.ExportId,
                subject.BatchId,
                subject.Tenant,
                subject.Dataset,
                type,
                subject.Consumer,
                Data = JsonSerializer.Serialize(data, ClaimCheckJson.Options),
                TraceParent = Activity.Current?.Id ?? NewTrace(),
            },
            cancellationToken));
        return id;
    }

    // Each event belongs to a trace (https://www.w3.org/TR/trace-context/): consumers go on with it. Where there is none, it begins one.
    private static string NewTrace() => $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00";
}
