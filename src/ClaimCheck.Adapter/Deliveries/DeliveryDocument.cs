using System.Text.Json.Serialization;

namespace ClaimCheck.Adapter.Deliveries;

/// <summary>The states of a delivery.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<DeliveryState>))]
internal enum DeliveryState
{
    /// <summary>To be requested from the service; or requested, and the answer not stored yet.</summary>
    [JsonStringEnumMemberName("requested")]
    Requested,

    /// <summary>The export runs.</summary>
    [JsonStringEnumMemberName("waiting")]
    Waiting,

    /// <summary>The batch is ready, and its files are being pushed.</summary>
    [JsonStringEnumMemberName("delivering")]
    Delivering,

    /// <summary>All files are at the destination.</summary>
    [JsonStringEnumMemberName("delivered")]
    Delivered,

    /// <summary>The caller has cancelled it: the service must be told, and pushed files removed.</summary>
    [JsonStringEnumMemberName("cancelling")]
    Cancelling,

    /// <summary>The batch was revoked: what was delivered must be removed.</summary>
    [JsonStringEnumMemberName("revoking")]
    Revoking,

    /// <summary>An end state: it was cancelled, and nothing of it is at the destination.</summary>
    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    /// <summary>An end state: the batch was revoked, and nothing of it is at the destination.</summary>
    [JsonStringEnumMemberName("revoked")]
    Revoked,

    /// <summary>An end state: the batch can't be delivered.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}

/// <summary>Why a delivery failed.</summary>
/// <param name="Code">The service's code, or one of the adapter's.</param>
/// <param name="Detail">In words.</param>
/// <param name="Errors">By field, where fields of the request are at fault.</param>
internal sealed record DeliveryFailure(string Code, string Detail, IReadOnlyDictionary<string, string[]>? Errors = null);

/// <summary>The outcomes of a batch's records.</summary>
/// <param name="Succeeded">Records that are in the table.</param>
/// <param name="Transient">Records whose failure is transient; the service exports them again.</param>
/// <param name="Terminal">Records whose failure is terminal; the receipt at the service says why.</param>
internal sealed record RecordOutcomes(long Succeeded, long Transient, long Terminal);

/// <summary>
/// A notice or receipt that the adapter owes about a delivery, until it is sent or given up. Written together with the state that
/// it reports.
/// </summary>
/// <param name="Kind">Of which kind.</param>
/// <param name="What">What is reported: <c>delivered</c>, <c>failed</c>, <c>cancelled</c>, <c>revoked</c>; for receipts a <see
/// cref="ReceiptState"/>.</param>
/// <param name="Since">When it became due.</param>
/// <param name="DoneAt">When it was accepted, or null.</param>
/// <param name="GivenUp">Why it was given up, or null.</param>
/// <param name="LastFailure">Why it was not accepted yet, or null.</param>
internal sealed record Duty(
    DutyKind Kind, string What, DateTimeOffset Since, DateTimeOffset? DoneAt = null, string? GivenUp = null,
    StepFailure? LastFailure = null)
{
    [JsonIgnore]
    public bool IsOpen => DoneAt is null && GivenUp is null;

    /// <summary>Whether both are the same duty, whatever its progress.</summary>
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

/// <summary>What is stored of a delivery, and shown to consumer systems too.</summary>
internal abstract record DeliveryFacts
{
    /// <summary>
    /// Derived from consumer, route and origin: the same cause is the same delivery. Also its idempotency key at the service.
    /// </summary>
    public required string Id { get; init; }

    public required string Route { get; init; }

    /// <summary>What triggered it: a fire time, a caller's request, another client's batch.</summary>
    public required string Origin { get; init; }

    public required string Dataset { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DeliveryState State { get; init; }

    public ExportId? ExportId { get; init; }

    public BatchId? BatchId { get; init; }

    /// <summary>The batch whose failed records this one retries, or null.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>The folder at the destination, fixed when pushing began.</summary>
    public string? Folder { get; init; }

    public long? Records { get; init; }

    public long? Bytes { get; init; }

    public int? Files { get; init; }

    /// <summary>The outcomes of the records, where each has its own; else null.</summary>
    public RecordOutcomes? Outcomes { get; init; }

    /// <summary>How many records were deleted from the table after a revocation, or null.</summary>
    public long? RecordsDeleted { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public DeliveryFailure? Failure { get; init; }

    /// <summary>Why the current step is tried again, or null.</summary>
    public StepFailure? LastFailure { get; init; }

    /// <summary>The reason given with a revocation or a cancellation, or null.</summary>
    public string? Reason { get; init; }

    public IReadOnlyList<Duty> Duties { get; init; } = [];
}

/// <summary>
/// One export on its way to one destination, as it is stored on disk. It is replaced as a whole, and contains no link and no key.
/// </summary>
internal sealed record DeliveryDocument : DeliveryFacts
{
    /// <summary>The version of the document's format.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The name of the key that requested it, or null.</summary>
    public string? Caller { get; init; }

    /// <summary>
    /// The request to the service, fixed when the delivery began; null for a batch that another client requested.
    /// </summary>
    public ExportRequest? Request { get; init; }

    /// <summary>When the batch's retention at the service ends; until then it can be revoked. Null before
    /// that is known.</summary>
    public DateTimeOffset? BatchExpiresAt { get; init; }

    [JsonIgnore]
    public bool HasEnded => State is DeliveryState.Cancelled or DeliveryState.Revoked or DeliveryState.Failed;

    /// <summary>Whether nothing is left to do except to notice a revocation.</summary>
    [JsonIgnore]
    public bool IsSettled => (HasEnded || State == DeliveryState.Delivered) && !Duties.Any(duty => duty.IsOpen);

    /// <summary>
    /// Whether a consumer system is notified of it. A retry, which is only a part of another delivery, is not announced.
    /// </summary>
    public bool IsToldOf(Route route) => route.Notify is not null && RetryOf is null;

    public override string ToString() => $"{Id} of {Route}, {State}";
}
