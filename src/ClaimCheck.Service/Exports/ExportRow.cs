using System.Text.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Service.Datasets;
using ClaimCheck.Service.Links;

namespace ClaimCheck.Service.Exports;

/// <summary>A row of <c>exports</c>, as Dapper reads it by <see cref="Columns"/>.</summary>
internal sealed record ExportRow
{
    /// <summary>
    /// The columns that every reader selects. <c>remaining</c> and <c>manifest_remaining</c> are times left by the database's
    /// clock.
    /// </summary>
    public const string Columns = """
        id, batch_id, tenant, dataset, schema_version, definition::text AS definition, criteria::text AS criteria,
        format, compression, max_file_bytes, link_lifetime, retention, retry_of, consumer, state, attempt, manifest_expires_at,
        estimated_records, records, bytes, uncompressed_bytes, files, snapshot_at,
        created_at, started_at, ready_at, expires_at, ended_at, ended_by, reason, failure_code, failure_detail, failure_transient,
        expires_at - now() AS remaining, manifest_expires_at - now() AS manifest_remaining
        """;

    public required Guid Id { get; init; }
    public required Guid BatchId { get; init; }
    public required string Tenant { get; init; }
    public required string Dataset { get; init; }
    public required int SchemaVersion { get; init; }
    public required string Definition { get; init; }
    public required string Criteria { get; init; }
    public required string Format { get; init; }
    public required string Compression { get; init; }
    public required long MaxFileBytes { get; init; }
    public required TimeSpan LinkLifetime { get; init; }
    public required TimeSpan Retention { get; init; }
    public Guid? RetryOf { get; init; }

    /// <summary>The one consumer that it is for, or <c>*</c>.</summary>
    public required string Consumer { get; init; }
    public required string State { get; init; }
    public string? Attempt { get; init; }
    public DateTimeOffset? ManifestExpiresAt { get; init; }
    public long? EstimatedRecords { get; init; }
    public required long Records { get; init; }
    public required long Bytes { get; init; }
    public required long UncompressedBytes { get; init; }
    public required int Files { get; init; }
    public DateTimeOffset? SnapshotAt { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? ReadyAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public string? EndedBy { get; init; }
    public string? Reason { get; init; }
    public string? FailureCode { get; init; }
    public string? FailureDetail { get; init; }
    public bool? FailureTransient { get; init; }
    public TimeSpan? Remaining { get; init; }
    public TimeSpan? ManifestRemaining { get; init; }

    public ExportId ExportId => new(Id);
    public BatchId Batch => new(BatchId);

    /// <summary>
    /// The state, but <c>expired</c> from the end of retention on, even before the retention worker has stored it.
    /// </summary>
    public string EffectiveState => State == ExportState.Ready && Remaining <= TimeSpan.Zero ? ExportState.Expired : State;

    public ExportTerms Terms => new(CriteriaJson, Format, Compression, MaxFileBytes, LinkLifetime, Retention);

    public JsonElement CriteriaJson => JsonElement.Parse(Criteria);

    public FrozenDataset FrozenDataset =>
        JsonSerializer.Deserialize<FrozenDataset>(Definition, ClaimCheckJson.Options)
        ?? throw new InvalidOperationException($"The definition of {ExportId} is null.");

    /// <summary>What links of it are minted for.</summary>
    /// <exception cref="InvalidOperationException">It is not ready (any more): a defect of the caller, which has to check
    /// first.</exception>
    public ReadyBatch Ready => EffectiveState == ExportState.Ready
        ? new(Batch, Remaining)
        : throw new InvalidOperationException($"{Batch} is {State}: no link of it may be minted.");

    /// <summary>What links to write to it are minted for.</summary>
    /// <exception cref="InvalidOperationException">It is not open (any more): a defect of the caller, which has to check
    /// first.</exception>
    public OpenBatch Open => State == ExportState.Open
        ? new(Batch)
        : throw new InvalidOperationException($"{Batch} is {State}: nothing may be uploaded to it.");

    public ExportFailure? Failure =>
        FailureCode is null ? null : new(FailureCode, FailureDetail ?? "", FailureTransient ?? false);
}
