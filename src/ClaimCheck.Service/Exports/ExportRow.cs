namespace ClaimCheck.Service.Exports;

/// <summary>A row of <c>exports</c>, as Dapper reads it by <see cref="Columns"/>. Its consumer is the one that it is for, or
/// <c>*</c>.</summary>
internal sealed record ExportRow(
    Guid Id, Guid BatchId, string Tenant, string Dataset, int SchemaVersion, string Definition, string Criteria,
    string Format, string Compression, long MaxFileBytes, TimeSpan LinkLifetime, TimeSpan Retention, Guid? RetryOf,
    string Consumer, string State, string? Attempt, DateTimeOffset? ManifestExpiresAt, long? EstimatedRecords,
    long Records, long Bytes, long UncompressedBytes, int Files,
    double? RecordsPerSecond, double? BytesPerSecond, string? RangesBy, int? Ranges, DateTimeOffset? SnapshotAt,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? ReadyAt, DateTimeOffset? ExpiresAt,
    DateTimeOffset? EndedAt, string? EndedBy, string? Reason, string? FailureCode, string? FailureDetail,
    bool? FailureTransient, TimeSpan? Remaining, TimeSpan? ManifestRemaining)
{
    /// <summary>The columns that every reader selects. <c>remaining</c> and <c>manifest_remaining</c> are times left by the
    /// database's clock.</summary>
    public const string Columns = """
        id, batch_id, tenant, dataset, schema_version, definition::text AS definition, criteria::text AS criteria,
        format, compression, max_file_bytes, link_lifetime, retention, retry_of, consumer, state, attempt, manifest_expires_at,
        estimated_records, records, bytes, uncompressed_bytes, files, records_per_second, bytes_per_second,
        ranges_by, ranges, snapshot_at,
        created_at, started_at, ready_at, expires_at, ended_at, ended_by, reason, failure_code, failure_detail, failure_transient,
        expires_at - now() AS remaining, manifest_expires_at - now() AS manifest_remaining
        """;

    public ExportId ExportId => new(Id);
    public BatchId Batch => new(BatchId);

    /// <summary>The state, but <c>expired</c> from the end of retention on, even before the retention worker has stored
    /// it.</summary>
    public string EffectiveState => State == ExportState.Ready && Remaining <= TimeSpan.Zero ? ExportState.Expired : State;

    public ExportTerms Terms => new(CriteriaJson, Format, Compression, MaxFileBytes, LinkLifetime, Retention);

    public JsonElement CriteriaJson => JsonElement.Parse(Criteria);

    public FrozenDataset FrozenDataset =>
        JsonSerializer.Deserialize<FrozenDataset>(Definition, ClaimCheckJson.Options)
        ?? throw new InvalidOperationException($"The definition of {ExportId} is null.");

    /// <summary>What links of it are minted for.</summary>
    /// <exception cref="InvalidOperationException">It is not ready: a defect of the caller, which has to check
    /// first.</exception>
    public ReadyBatch Ready => EffectiveState == ExportState.Ready
        ? new(Batch, Remaining)
        : throw new InvalidOperationException($"{Batch} is {State}: no link of it may be minted.");

    /// <summary>What links to write to it are minted for.</summary>
    /// <exception cref="InvalidOperationException">It is not open: a defect of the caller, which has to check
    /// first.</exception>
    public OpenBatch Open => State == ExportState.Open
        ? new(Batch)
        : throw new InvalidOperationException($"{Batch} is {State}: nothing may be uploaded to it.");

    public ExportFailure? Failure =>
        FailureCode is null ? null : new(FailureCode, FailureDetail ?? "", FailureTransient ?? false);
}
