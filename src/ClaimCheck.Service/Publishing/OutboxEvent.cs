using ClaimCheck.Contracts;

namespace ClaimCheck.Service.Publishing;

/// <summary>A row of <c>outbox</c> that has its position in the feed, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record OutboxEvent
{
    public const string Columns =
        "position, event_id, export_id, batch_id, job_id, tenant, dataset, type, consumer, data::text AS data, traceparent AS trace_parent, created_at, publication, " +
        "manifest, manifest_expires_at, manifest_expires_at - now() AS manifest_remaining";

    public required long Position { get; init; }
    public required Guid EventId { get; init; }
    public Guid? ExportId { get; init; }

    /// <summary>The batch that it is about; null where it is about a job.</summary>
    public Guid? BatchId { get; init; }

    public Guid? JobId { get; init; }
    public required string Tenant { get; init; }
    public required string Dataset { get; init; }
    public required string Type { get; init; }
    public required string Consumer { get; init; }
    public required string Data { get; init; }
    public required string TraceParent { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Drawn with its position; null where an earlier version gave it.</summary>
    public Guid? Publication { get; init; }

    /// <summary>The key of the manifest that was written for this event alone; null where it is the batch's own.</summary>
    public string? Manifest { get; init; }

    public DateTimeOffset? ManifestExpiresAt { get; init; }

    /// <summary>How long its links still live, by the catalog's clock when the row was read.</summary>
    public TimeSpan? ManifestRemaining { get; init; }

    /// <summary>The batch or job that it is about.</summary>
    public Guid About => BatchId ?? JobId!.Value;

    /// <summary>The batch or job, as the envelope's subject says it.</summary>
    public string Subject => SubjectOf(BatchId, JobId);

    /// <summary>The envelope's source.</summary>
    public string Source => JobId is { } job ? $"/v1/bulk-jobs/{new JobId(job)}" : $"/v1/exports/{new ExportId(ExportId!.Value)}";

    public static string SubjectOf(Guid? batch, Guid? job) => job is { } id ? new JobId(id).ToString() : new BatchId(batch!.Value).ToString();
}
