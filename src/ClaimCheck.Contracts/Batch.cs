namespace ClaimCheck.Contracts;

/// <summary>Whether a dataset's definition of success is met for a batch.</summary>
/// <param name="State"><c>pending</c>, <c>met</c> or <c>missed</c>.</param>
/// <param name="Missing">Consumers that have not applied it yet.</param>
/// <param name="DueAt">By when they should have, or null.</param>
public sealed record BatchDelivery(string State, IReadOnlyList<string> Missing, DateTimeOffset? DueAt);

/// <summary>How often a caller fetched a batch's links.</summary>
/// <param name="Caller">The owner of the key.</param>
/// <param name="Times">How often links were minted for it.</param>
/// <param name="LastAt">When that was last.</param>
public sealed record Redemption(string Caller, long Times, DateTimeOffset LastAt)
{
    /// <summary>Represents all callers beyond the first 1,000 of a batch.</summary>
    public const string Others = "(others)";
}

/// <summary>What can be done next with a batch. Addresses are absolute.</summary>
/// <param name="Self">The batch itself.</param>
/// <param name="Export">The export that staged it.</param>
/// <param name="Manifest">The claim URL, or null once the batch has ended.</param>
/// <param name="Data">The whole batch as one stream, or null once the batch has ended.</param>
/// <param name="Records">The records as pages of JSON, or null once the batch has ended.</param>
/// <param name="Receipts">The receipts of its consumers.</param>
/// <param name="Revoke">Where DELETE revokes it; afterwards it answers with the report.</param>
public sealed record BatchLinks(
    string Self, string Export, string? Manifest, string? Data, string? Records, string Receipts, string Revoke);

/// <summary>One batch, as returned by <c>GET /v1/batches/{batchId}</c>, even after its end.</summary>
public sealed record Batch
{
    /// <summary>Its id.</summary>
    public required BatchId BatchId { get; init; }

    /// <summary>The export that staged it.</summary>
    public required ExportId ExportId { get; init; }

    /// <summary>One of <see cref="ExportState"/>.</summary>
    public required string State { get; init; }

    /// <summary>The dataset's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>The dataset's schema version.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary><c>csv</c> or <c>ndjson</c>.</summary>
    public required string Format { get; init; }

    /// <summary><c>gzip</c> or <c>none</c>.</summary>
    public required string Compression { get; init; }

    /// <summary>Records in all files; 0 until ready.</summary>
    public required long Records { get; init; }

    /// <summary>Stored bytes of all files; 0 until ready.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes of all files before compression; 0 until ready.</summary>
    public required long UncompressedBytes { get; init; }

    /// <summary>How many files; 0 until ready.</summary>
    public required int Files { get; init; }

    /// <summary>The moment of the snapshot that the records were read in, or null until ready.</summary>
    public DateTimeOffset? SnapshotAt { get; init; }

    /// <summary>When it became ready, or null.</summary>
    public DateTimeOffset? ReadyAt { get; init; }

    /// <summary>When its retention ends, or null.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it ended, or null.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The reason given with its revocation or cancellation, or null.</summary>
    public string? Reason { get; init; }

    /// <summary>When the deletion of every object was verified, or null.</summary>
    public DateTimeOffset? DeletionVerifiedAt { get; init; }

    /// <summary>The batch whose failed records this one retries, or null.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>Whether the dataset's definition of success is met, or null where it has none.</summary>
    public BatchDelivery? Delivery { get; init; }

    /// <summary>The receipts of its consumers in short, including those that should get it and have not reported yet.</summary>
    public IReadOnlyList<ReceiptSummary> Receipts { get; init; } = [];

    /// <summary>Who fetched links, and how often: the latest 100.</summary>
    public required IReadOnlyList<Redemption> Redeemed { get; init; }

    /// <summary>How many callers fetched links, including those that <see cref="Redeemed"/> does not show.</summary>
    public long RedeemedTotal { get; init; }

    /// <summary>What can be done next.</summary>
    public required BatchLinks Links { get; init; }
}

/// <summary>One object's link before and after a revocation.</summary>
/// <param name="Object">The object's name within the batch.</param>
/// <param name="Before">The HTTP status of a one-byte range before: 206 where it was readable; null where it
/// could not be asked.</param>
/// <param name="After">The HTTP status afterwards: 404 or 403 where it is dead; null until asked.</param>
/// <param name="At">When <paramref name="After"/> was seen, or null.</param>
public sealed record LinkProbe(string Object, int? Before, int? After, DateTimeOffset? At);

/// <summary>What happened to a batch's objects.</summary>
/// <param name="Deleted">Objects deleted (versions and markers counted one by one).</param>
/// <param name="Remaining">Objects that were still listed at the last check.</param>
/// <param name="UploadsAborted">Unfinished uploads aborted.</param>
public sealed record DeletedObjects(long Deleted, long Remaining, long UploadsAborted);

/// <summary>The revocation report: the proof that a batch's links are dead.</summary>
public sealed record RevocationReport
{
    /// <summary>The batch.</summary>
    public required BatchId BatchId { get; init; }

    /// <summary>Its end state: <c>revoked</c>, or how it ended otherwise.</summary>
    public required string State { get; init; }

    /// <summary>The reason given, or null.</summary>
    public string? Reason { get; init; }

    /// <summary>When the revocation was committed (or the batch ended otherwise).</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>The caller who revoked or cancelled it; null where it ended otherwise, or before this was recorded.</summary>
    public string? RevokedBy { get; init; }

    /// <summary>When the deletion was verified; null while it continues.</summary>
    public DateTimeOffset? VerifiedAt { get; init; }

    /// <summary>What happened to the objects.</summary>
    public required DeletedObjects Objects { get; init; }

    /// <summary>The proof by probing links: at most 1,000 objects are probed; all are listed as absent.</summary>
    public required IReadOnlyList<LinkProbe> Probes { get; init; }

    /// <summary>Who had fetched links: the latest 100.</summary>
    public required IReadOnlyList<Redemption> Redeemed { get; init; }

    /// <summary>How many callers had fetched links, including those that <see cref="Redeemed"/> does not show.</summary>
    public long RedeemedTotal { get; init; }

    /// <summary>Retry batches that were revoked with it, 1,000 at most.</summary>
    public required IReadOnlyList<BatchId> Cascaded { get; init; }

    /// <summary>How many retry batches were revoked with it, including those that <see cref="Cascaded"/> does not show.</summary>
    public long CascadedTotal { get; init; }

    /// <summary>Why the deletion is not verified yet, or null.</summary>
    public string? Pending { get; init; }
}
