namespace ClaimCheck.Contracts;

/// <summary>The types of events: the CloudEvents <c>type</c>, and the short name used in filters and subscriptions.</summary>
public static class EventTypes
{
    /// <summary>A batch can be fetched.</summary>
    public const string BulkReady = "BulkReady";

    /// <summary>A batch was revoked: stop, and discard what was fetched.</summary>
    public const string BulkRevoked = "BulkRevoked";

    /// <summary>An export was cancelled before it was ready: nobody should wait for it.</summary>
    public const string BulkCancelled = "BulkCancelled";

    /// <summary>An export failed: nobody should wait for it.</summary>
    public const string BulkFailed = "BulkFailed";

    /// <summary>A batch's definition of success was missed.</summary>
    public const string BulkOverdue = "BulkOverdue";

    /// <summary>A bulk job ended.</summary>
    public const string JobCompleted = "JobCompleted";

    /// <summary>The short names.</summary>
    public static IReadOnlyList<string> All { get; } =
        [BulkReady, BulkRevoked, BulkCancelled, BulkFailed, BulkOverdue, JobCompleted];

    /// <summary>The CloudEvents type of a short name, for example <c>claimcheck.bulk.ready.v1</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The name is not one of <see cref="All"/>.</exception>
    public static string ToCloudEventType(string name) => name switch
    {
        BulkReady => "claimcheck.bulk.ready.v1",
        BulkRevoked => "claimcheck.bulk.revoked.v1",
        BulkCancelled => "claimcheck.bulk.cancelled.v1",
        BulkFailed => "claimcheck.bulk.failed.v1",
        BulkOverdue => "claimcheck.bulk.overdue.v1",
        JobCompleted => "claimcheck.job.completed.v1",
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "Not an event type."),
    };

    /// <summary>The short name of a CloudEvents type, or null where it is not one of ClaimCheck's.</summary>
    public static string? FromCloudEventType(string type) => type switch
    {
        "claimcheck.bulk.ready.v1" => BulkReady,
        "claimcheck.bulk.revoked.v1" => BulkRevoked,
        "claimcheck.bulk.cancelled.v1" => BulkCancelled,
        "claimcheck.bulk.failed.v1" => BulkFailed,
        "claimcheck.bulk.overdue.v1" => BulkOverdue,
        "claimcheck.job.completed.v1" => JobCompleted,
        _ => null,
    };
}

/// <summary>A CloudEvents 1.0 envelope in structured JSON, below 8 KiB. https://github.com/cloudevents/spec</summary>
public sealed record BulkEvent
{
    /// <summary>Always <c>1.0</c>.</summary>
    [JsonPropertyName("specversion")]
    public string SpecVersion { get; init; } = "1.0";

    /// <summary>Stable over all deliveries of the event.</summary>
    public required EventId Id { get; init; }

    /// <summary>The CloudEvents type; see <see cref="EventTypes"/>.</summary>
    public required string Type { get; init; }

    /// <summary>The export's path, for example <c>/v1/exports/exp_…</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The batch id (or job id).</summary>
    public required string Subject { get; init; }

    /// <summary>When the change that it announces was committed.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Always <c>application/json</c>.</summary>
    [JsonPropertyName("datacontenttype")]
    public string DataContentType { get; init; } = "application/json";

    /// <summary>The claim check: a link to the manifest (BulkReady only, and only while the batch is ready).</summary>
    [JsonPropertyName("dataref")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Link? DataRef { get; init; }

    /// <summary>The data of the type; for example <see cref="BulkReadyData"/>.</summary>
    public required JsonElement Data { get; init; }

    /// <summary>Type, id and subject only: the data of a BulkReady contains a link.</summary>
    public override string ToString() => $"{Type} {Id} of {Subject}";
}

/// <summary>The data of a BulkReady.</summary>
public sealed record BulkReadyData
{
    /// <summary>The export.</summary>
    public required ExportId ExportId { get; init; }

    /// <summary>The batch.</summary>
    public required BatchId BatchId { get; init; }

    /// <summary>The dataset's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>The dataset's schema version.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>The batch whose failed records this one retries, or null.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>A link to the manifest; null in the feed where the batch is no longer ready or the link has expired.</summary>
    public Link? Location { get; init; }

    /// <summary>
    /// When <see cref="Location"/>, or a link inside the manifest it leads to, expires; null where there is none.
    /// </summary>
    public DateTimeOffset? LocationExpiresAt { get; init; }

    /// <summary>The permanent address of the manifest; each GET mints fresh links.</summary>
    public required string ClaimUrl { get; init; }

    /// <summary>Records in all files.</summary>
    public required long Records { get; init; }

    /// <summary>Stored bytes of all files.</summary>
    public required long Bytes { get; init; }

    /// <summary>How many files.</summary>
    public required int Files { get; init; }

    /// <summary><c>csv</c> or <c>ndjson</c>.</summary>
    public required string Format { get; init; }

    /// <summary><c>gzip</c> or <c>none</c>.</summary>
    public required string Compression { get; init; }
}

/// <summary>The data of a BulkRevoked.</summary>
/// <param name="ExportId">The export.</param>
/// <param name="BatchId">The batch.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Reason">The reason given, or null.</param>
/// <param name="RevokedAt">When the revocation was committed.</param>
public sealed record BulkRevokedData(
    ExportId ExportId, BatchId BatchId, string Dataset, string? Reason, DateTimeOffset RevokedAt);

/// <summary>The data of a BulkCancelled.</summary>
/// <param name="ExportId">The export.</param>
/// <param name="BatchId">The batch.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Reason">The reason given, or null.</param>
public sealed record BulkCancelledData(ExportId ExportId, BatchId BatchId, string Dataset, string? Reason);

/// <summary>The data of a BulkFailed.</summary>
/// <param name="ExportId">The export.</param>
/// <param name="BatchId">The batch.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Failure">Why.</param>
public sealed record BulkFailedData(ExportId ExportId, BatchId BatchId, string Dataset, ExportFailure Failure);

/// <summary>The data of a BulkOverdue: sent once, when the dataset's definition of success is missed.</summary>
/// <param name="ExportId">The export.</param>
/// <param name="BatchId">The batch.</param>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Missing">Consumers that have not applied it, or with too many terminal failures.</param>
/// <param name="DueAt">By when they should have.</param>
public sealed record BulkOverdueData(
    ExportId ExportId, BatchId BatchId, string Dataset, IReadOnlyList<string> Missing, DateTimeOffset DueAt)
{
    /// <summary>How many more are missing than the event can list; null where <see cref="Missing"/> lists them all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MissingMore { get; init; }
}
