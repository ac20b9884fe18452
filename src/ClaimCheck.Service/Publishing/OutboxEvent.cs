namespace ClaimCheck.Service.Publishing;

/// <summary>A row of <c>outbox</c> that has its position in the feed, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record OutboxEvent(
    long Position, Guid EventId, Guid? ExportId,
    Guid? BatchId, // null where it is about a job
    Guid? JobId, string Tenant, string Dataset, string Type, string Consumer, string Data, string TraceParent,
    DateTimeOffset CreatedAt,
    Guid? Publication, // drawn with its position; null where an earlier version gave it
    string? Manifest, // the key of the manifest that was written for this event alone; null where it is the batch's own
    DateTimeOffset? ManifestExpiresAt,
    TimeSpan? ManifestRemaining) // how long its links still live, by the catalog's clock when the row was read
{
    public const string Columns =
        "position, event_id, export_id, batch_id, job_id, tenant, dataset, type, consumer, data::text AS data, traceparent AS " +
        "trace_parent, created_at, publication, manifest, manifest_expires_at, manifest_expires_at - now() AS manifest_remaining";

    /// <summary>The batch or job that it is about.</summary>
    public Guid About => BatchId ?? JobId!.Value;

    /// <summary>The batch or job, as the envelope's subject says it.</summary>
    public string Subject => SubjectOf(BatchId, JobId);

    /// <summary>The envelope's source.</summary>
    public string Source => JobId is { } job ? $"/v1/bulk-jobs/{new JobId(job)}" : $"/v1/exports/{new ExportId(ExportId!.Value)}";

    public static string SubjectOf(Guid? batch, Guid? job) =>
        job is { } id ? new JobId(id).ToString() : new BatchId(batch!.Value).ToString();
}
