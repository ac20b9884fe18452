namespace ClaimCheck.Service.Publishing;

/// <summary>A row of <c>outbox</c> that has its place in the feed, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record OutboxEvent
{
    public const string Columns =
        "position, event_id, export_id, batch_id, tenant, dataset, type, consumer, data::text AS data, traceparent AS trace_parent, created_at";

    public required long Position { get; init; }
    public required Guid EventId { get; init; }
    public required Guid ExportId { get; init; }
    public required Guid BatchId { get; init; }
    public required string Tenant { get; init; }
    public required string Dataset { get; init; }
    public required string Type { get; init; }
    public required string Consumer { get; init; }
    public required string Data { get; init; }
    public required string TraceParent { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}
