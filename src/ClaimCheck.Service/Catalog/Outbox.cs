using System.Diagnostics;

namespace ClaimCheck.Service.Catalog;

/// <summary>What an event is about, and the consumers it is for.</summary>
/// <param name="ExportId">With <paramref name="BatchId"/>: a batch.</param>
/// <param name="BatchId">The batch, or null where it is about a job.</param>
/// <param name="Tenant">The tenant whose callers may see it.</param>
/// <param name="Dataset">The dataset; of a job the operation: subscriptions and filters select by it.</param>
/// <param name="Consumer"><c>*</c> for all, or the one consumer that it is for.</param>
/// <param name="JobId">A bulk job.</param>
internal sealed record EventSubject(
    Guid? ExportId, Guid? BatchId, string Tenant, string Dataset, string Consumer = "*", Guid? JobId = null)
{
    public static EventSubject OfJob(JobId job, string tenant, string operation) =>
        new(null, null, tenant, operation, JobId: job.Value);
}

/// <summary>Inserts events, in the transaction of the change that they announce, and none too large to be sent. No row contains a
/// link.</summary>
internal static class Outbox
{
    public static async Task<EventId> AddAsync(
        Transaction transaction, string type, EventSubject subject, object data, CancellationToken cancellationToken)
    {
        var id = EventId.New();
        await transaction.ExecuteAsync(
            """
            INSERT INTO outbox (event_id, export_id, batch_id, job_id, tenant, dataset, type, consumer, data, traceparent)
            VALUES (@EventId, @ExportId, @BatchId, @JobId, @Tenant, @Dataset, @type, @Consumer, @Data::json, @TraceParent)
            """,
            new
            {
                EventId = id.Value,
                subject.ExportId,
                subject.BatchId,
                subject.JobId,
                subject.Tenant,
                subject.Dataset,
                type,
                subject.Consumer,
                Data = EventSize.Fit(JsonSerializer.SerializeToElement(data, ClaimCheckJson.Options), EventSize.MostKept)
                    .GetRawText(),
                TraceParent = Activity.Current?.Id ?? NewTrace(),
            },
            cancellationToken);
        return id;
    }

    // Each event belongs to a trace (https://www.w3.org/TR/trace-context/) that consumers continue. Where there is none, it
    // begins one.
    private static string NewTrace() => $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00";
}
