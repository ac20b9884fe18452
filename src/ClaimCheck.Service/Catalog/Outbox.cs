using System.Text.Json;
using ClaimCheck.Contracts;
using Dapper;
using EventId = ClaimCheck.Contracts.EventId;

namespace ClaimCheck.Service.Catalog;

/// <summary>What an event is about.</summary>
internal sealed record EventSubject(Guid ExportId, Guid BatchId, string Tenant, string Dataset);

/// <summary>Events are inserted here, in the transaction of what they tell. No row holds a link.</summary>
internal static class Outbox
{
    public static Task AddAsync(
        Transaction transaction, string type, EventSubject subject, object data, CancellationToken cancellationToken) =>
        transaction.Connection.ExecuteAsync(transaction.Command(
            """
            INSERT INTO outbox (event_id, export_id, batch_id, tenant, dataset, type, data, traceparent)
            VALUES (@EventId, @ExportId, @BatchId, @Tenant, @Dataset, @type, @Data::json, @TraceParent)
            """,
            new
            {
                EventId = EventId.New().Value,
                subject.ExportId,
                subject.BatchId,
                subject.Tenant,
                subject.Dataset,
                type,
                Data = JsonSerializer.Serialize(data, ClaimCheckJson.Options),
                TraceParent = System.Diagnostics.Activity.Current?.Id,
            },
            cancellationToken));
}
