using System.Text.Json;
using System.Text.Json.Serialization;
using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Exports;

/// <summary>One export of the adapter, as consumer systems see it.</summary>
internal sealed record ExportView
{
    public required string Id { get; init; }

    public required string Route { get; init; }

    /// <summary>One of <see cref="DeliveryState"/>.</summary>
    public required DeliveryState State { get; init; }

    public required string Dataset { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Criteria { get; init; }

    public required string Origin { get; init; }

    public ExportId? ExportId { get; init; }

    public BatchId? BatchId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public long? Records { get; init; }

    public long? Bytes { get; init; }

    public int? Files { get; init; }

    /// <summary>The outcomes of the records, where each has its own: in a table.</summary>
    public RecordOutcomes? Outcomes { get; init; }

    /// <summary>How many records a revocation deleted from the table.</summary>
    public long? RecordsDeleted { get; init; }

    /// <summary>The batch whose failed records this one retries.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>The folder at the shared location, while the batch is there.</summary>
    public string? Folder { get; init; }

    /// <summary>A link to the batch's manifest there; only in the answer about a single export.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Link? Link { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? LinkExpiresAt { get; init; }

    public string? Reason { get; init; }

    /// <summary>Why it failed terminally, or null.</summary>
    public DeliveryFailure? Failure { get; init; }

    /// <summary>Why the current step is tried again, or null.</summary>
    public StepFailure? LastFailure { get; init; }

    /// <summary>The notices and receipts that are owed, sent or given up.</summary>
    public required IReadOnlyList<Duty> Duties { get; init; }

    public required ExportViewLinks Links { get; init; }

    public override string ToString() => Id;

    public static ExportView Of(DeliveryDocument document, (Link? Link, DateTimeOffset? ExpiresAt) link = default) => new()
    {
        Id = document.Id,
        Route = document.Route,
        State = document.State,
        Dataset = document.Dataset,
        Criteria = document.Request?.Criteria,
        Origin = document.Origin,
        ExportId = document.ExportId,
        BatchId = document.BatchId,
        CreatedAt = document.CreatedAt,
        DeliveredAt = document.DeliveredAt,
        EndedAt = document.EndedAt,
        Records = document.Records,
        Bytes = document.Bytes,
        Files = document.Files,
        Outcomes = document.Outcomes,
        RecordsDeleted = document.RecordsDeleted,
        RetryOf = document.RetryOf,
        Folder = document.State == DeliveryState.Delivered ? document.Folder : null,
        Link = link.Link,
        LinkExpiresAt = link.ExpiresAt,
        Reason = document.Reason,
        Failure = document.Failure,
        LastFailure = document.LastFailure,
        Duties = document.Duties,
        Links = new($"/exports/{document.Id}", document.HasEnded ? null : $"/exports/{document.Id}"),
    };
}

/// <summary>What can be done next.</summary>
/// <param name="Self">The export itself.</param>
/// <param name="Cancel">Where DELETE cancels it, or removes it again; null once it has ended.</param>
internal sealed record ExportViewLinks(string Self, string? Cancel);
