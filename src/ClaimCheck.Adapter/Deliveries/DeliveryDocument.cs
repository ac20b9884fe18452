using System.Text.Json.Serialization;
using ClaimCheck.Adapter.Retries;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>Where a delivery is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeliveryState>))]
internal enum DeliveryState
{
    /// <summary>To be asked for at the service; or asked, and the answer not written down yet.</summary>
    [JsonStringEnumMemberName("requested")]
    Requested,

    /// <summary>The export runs.</summary>
    [JsonStringEnumMemberName("waiting")]
    Waiting,

    /// <summary>The batch is ready, and its files are on their way.</summary>
    [JsonStringEnumMemberName("delivering")]
    Delivering,

    /// <summary>All files are there.</summary>
    [JsonStringEnumMemberName("delivered")]
    Delivered,

    /// <summary>The caller wants it no more: the service is to be told, and what is there removed.</summary>
    [JsonStringEnumMemberName("cancelling")]
    Cancelling,

    /// <summary>The source took the batch back: what is there is to be removed.</summary>
    [JsonStringEnumMemberName("revoking")]
    Revoking,

    /// <summary>An end: nobody wants it any more, and nothing of it is there.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    /// <summary>An end: the batch was taken back, and nothing of it is there.</summary>
    [JsonStringEnumMemberName("revoked")]
    Revoked,

    /// <summary>An end: it could not be had.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary>Why a delivery failed.</summary>
/// <param name="Code">The service's code, or one of the adapter's.</param>
/// <param name="Detail">In words.</param>
/// <param name="Errors">By field, where fields of the request are at fault.</param>
internal sealed record DeliveryFailure(string Code, string Detail, IReadOnlyDictionary<string, string[]>? Errors = null);

/// <summary>How a batch's records went.</summary>
/// <param name="Succeeded">Records that are in the table.</param>
/// <param name="Transient">Records that failed for now; the service exports them again.</param>
/// <param name="Terminal">Records that never will be there; the receipt at the service says why.</param>
internal sealed record RecordOutcomes(long Succeeded, long Transient, long Terminal);

/// <summary>What the adapter owes to others about a delivery, until it is done or given up. Written together with the state that it tells of.</summary>
/// <param name="Kind">Of which kind.</param>
/// <param name="What">What is told: <c>delivered</c>, <c>failed</c>, <c>cancelled</c>, <c>revoked</c>; of receipts a <see cref="ReceiptState"/>.</param>
/// <param name="Since">When it became due.</param>
/// <param name="DoneAt">When it was taken, or null.</param>
/// <param name="GivenUp">Why it was given up, or null.</param>
/// <param name="LastFailure">Why it was not taken yet, or null.</param>
internal sealed record Duty(
    DutyKind Kind, string What, DateTimeOffset Since, DateTimeOffset? DoneAt = null, string? GivenUp = null, StepFailure? LastFailure = null)
{
    [JsonIgnore]
    public bool IsOpen => DoneAt is null && GivenUp is null;

    /// <summary>Whether both are the same one, however far it is.</summary>
    public bool Is(Duty other) => (Kind, What, Since) == (other.Kind, other.What, other.Since);
}

/// <summary>Kinds of duties.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DutyKind>))]
internal enum DutyKind
{
    /// <summary>A signed notice to the consumer system.</summary>
    [JsonStringEnumMemberName("notice")]
    Notice,

    /// <summary>A receipt at the service.</summary>
    [JsonStringEnumMemberName("receipt")]
    Receipt,
}

/// <summary>
/// One export on its way to one destination, as it is kept on disk. It is replaced as a whole, and holds no link and no key.
/// </summary>
internal sealed record DeliveryDocument
{
    /// <summary>Of the document's form.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Follows from consumer, route and origin: the same cause is the same delivery. Also its idempotency key at the service.</summary>
    public required string Id { get; init; }

    public required string Route { get; init; }

    /// <summary>What set it going: a moment of the clock, a caller's request, somebody else's batch.</summary>
    public required string Origin { get; init; }

    /// <summary>Whose key asked for it, or null.</summary>
    public string? Caller { get; init; }

    /// <summary>What is asked of the service, fixed when the delivery began; null for a batch that somebody else asked for.</summary>
    public ExportRequest? Request { get; init; }

    public required string Dataset { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DeliveryState State { get; init; }

    public ExportId? ExportId { get; init; }

    public BatchId? BatchId { get; init; }

    /// <summary>The batch whose failed records this one brings again, or null.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>The folder at the destination, fixed when pushing began.</summary>
    public string? Folder { get; init; }

    public long? Records { get; init; }

    public long? Bytes { get; init; }

    public int? Files { get; init; }

    /// <summary>How the records went, where each has an outcome of its own; else null.</summary>
    public RecordOutcomes? Outcomes { get; init; }

    /// <summary>How many records were taken out of the table again after a revocation, or null.</summary>
    public long? RecordsDeleted { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>When the batch's retention at the service ends; until then it can be revoked. Null before that is known.</summary>
    public DateTimeOffset? BatchExpiresAt { get; init; }

    /// <summary>Why it failed for good, or null.</summary>
    public DeliveryFailure? Failure { get; init; }

    /// <summary>Why the step that it is at is tried again, or null.</summary>
    public StepFailure? LastFailure { get; init; }

    /// <summary>The reason given with a revocation or a cancellation, or null.</summary>
    public string? Reason { get; init; }

    public IReadOnlyList<Duty> Duties { get; init; } = [];

    [JsonIgnore]
    public bool HasEnded => State is DeliveryState.Cancelled or DeliveryState.Revoked or DeliveryState.Failed;

    /// <summary>Whether nothing is left to be done, but to hear of a revocation.</summary>
    [JsonIgnore]
    public bool IsSettled => (HasEnded || State == DeliveryState.Delivered) && !Duties.Any(duty => duty.IsOpen);

    /// <summary>Whether a consumer system is told of it. What is only a part of another is not spoken of.</summary>
    public bool IsToldOf(Route route) => route.Notify is not null && RetryOf is null;

    public override string ToString() => $"{Id} of {Route}, {State}";
}
