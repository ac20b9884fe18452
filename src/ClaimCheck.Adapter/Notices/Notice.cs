namespace ClaimCheck.Adapter.Notices;

/// <summary>A notice to a consumer system, as JSON: the Standard Webhooks' own envelope.</summary>
/// <param name="Type"><c>export.delivered</c>, <c>export.failed</c>, <c>export.cancelled</c> or <c>export.revoked</c>.</param>
/// <param name="Timestamp">When the reported state was reached.</param>
/// <param name="Data">The rest.</param>
internal sealed record Notice(string Type, DateTimeOffset Timestamp, NoticeData Data)
{
    /// <summary>The type only: the data may contain a link.</summary>
    public override string ToString() => Type;
}

/// <summary>The data of a notice.</summary>
internal sealed record NoticeData
{
    /// <summary>The adapter's id of the export, as <c>POST /exports</c> answered it.</summary>
    public required string Id { get; init; }

    public required string Route { get; init; }

    public required string State { get; init; }

    public required string Dataset { get; init; }

    /// <summary>The service's own ids.</summary>
    public ExportId? ExportId { get; init; }

    public BatchId? BatchId { get; init; }

    public long? Records { get; init; }

    public long? Bytes { get; init; }

    public int? Files { get; init; }

    /// <summary>The outcomes of the records, where they were loaded into a table.</summary>
    public RecordOutcomes? Outcomes { get; init; }

    /// <summary>The folder at the shared location.</summary>
    public string? Folder { get; init; }

    /// <summary>A link to the batch's manifest there, where the location has such links.</summary>
    public Link? Link { get; init; }

    public DateTimeOffset? LinkExpiresAt { get; init; }

    public string? Reason { get; init; }

    public DeliveryFailure? Failure { get; init; }

    public override string ToString() => Id;
}
