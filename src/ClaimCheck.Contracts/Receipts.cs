namespace ClaimCheck.Contracts;

/// <summary>The states of a receipt, as written on the wire.</summary>
public static class ReceiptState
{
    /// <summary>The consumer knows about the batch.</summary>
    public const string Received = "received";

    /// <summary>The consumer is applying it; the counts show its progress.</summary>
    public const string Processing = "processing";

    /// <summary>Every record succeeded. An end state.</summary>
    public const string Completed = "completed";

    /// <summary>Some records failed. An end state.</summary>
    public const string PartiallyFailed = "partiallyFailed";

    /// <summary>The batch as a whole failed, usually with every record. An end state.</summary>
    public const string Failed = "failed";

    /// <summary>The batch was revoked, and the consumer discarded what it had read of it. An end state.</summary>
    public const string Discarded = "discarded";

    /// <summary>All states, in the order of a receipt's life.</summary>
    public static IReadOnlyList<string> All { get; } = [Received, Processing, Completed, PartiallyFailed, Failed, Discarded];

    /// <summary>True for the states that only <see cref="Discarded"/> may follow.</summary>
    public static bool IsEnd(string state) => state is Completed or PartiallyFailed or Failed or Discarded;
}

/// <summary>The class of a record's failure, as written on the wire.</summary>
public static class FailureClass
{
    /// <summary>It may succeed if it is tried again.</summary>
    public const string Transient = "transient";

    /// <summary>It will never succeed.</summary>
    public const string Terminal = "terminal";

    /// <summary>Both.</summary>
    public static IReadOnlyList<string> All { get; } = [Transient, Terminal];
}

/// <summary>
/// What a consumer reports on a batch: <c>PUT /v1/batches/{batchId}/receipts/{consumer}</c>. It replaces the earlier report.
/// </summary>
public sealed record ReceiptReport
{
    /// <summary>One of <see cref="ReceiptState"/>.</summary>
    public required string State { get; init; }

    /// <summary>Records that took effect.</summary>
    public long Succeeded { get; init; }

    /// <summary>Records that failed and may succeed if tried again.</summary>
    public long Transient { get; init; }

    /// <summary>Records that will never succeed.</summary>
    public long Terminal { get; init; }

    /// <summary>Where the consumer would continue, in a form of its own: at most 1,024 characters; or null.</summary>
    public string? Checkpoint { get; init; }
}

/// <summary>One record that failed: <c>POST …/receipts/{consumer}/failures</c>, as a JSON array or NDJSON,
/// merged by key.</summary>
/// <param name="Key">The record key: the value of the dataset's key column, as text; at most 1,024 characters.</param>
/// <param name="Class">One of <see cref="FailureClass"/>.</param>
/// <param name="Code">A stable code of the consumer's own, for example <c>db_down</c>; at most 100 characters.</param>
/// <param name="Message">The reason, in words and without the record's values; at most 1,024 characters; or null.</param>
public sealed record RecordFailure(string Key, string Class, string Code, string? Message = null)
{
    /// <summary>Class and code only: a key is data.</summary>
    public override string ToString() => $"{Class} {Code}";
}

/// <summary>The rounds in which a consumer's transient failures were tried again.</summary>
/// <param name="Used">Rounds begun so far.</param>
/// <param name="Most">The limit of rounds; after the last one transient failures become terminal.</param>
/// <param name="Running">The retry batch under way, or null.</param>
/// <param name="NextAt">The earliest moment of the next round, or null where there is nothing to wait for.</param>
public sealed record ReceiptRounds(int Used, int Most, BatchId? Running, DateTimeOffset? NextAt);

/// <summary>What can be done next with a receipt. Addresses are absolute.</summary>
/// <param name="Self">The receipt itself: GET, and PUT for its consumer.</param>
/// <param name="Failures">The failed records.</param>
/// <param name="Batch">The batch.</param>
/// <param name="Retry">Where POST creates a retry of the transient failures; null where there are none, or the batch has
/// ended.</param>
/// <param name="Redeliver">Where POST offers the batch again; null once the batch has ended.</param>
public sealed record ReceiptLinks(string Self, string Failures, string Batch, string? Retry, string? Redeliver);

/// <summary>The receipt of one consumer for one batch, with the outcomes of retries folded in.</summary>
public sealed record Receipt
{
    /// <summary>The batch.</summary>
    public required BatchId BatchId { get; init; }

    /// <summary>The consumer.</summary>
    public required string Consumer { get; init; }

    /// <summary>
    /// One of <see cref="ReceiptState"/>; null where a consumer that should get the batch has not reported yet.
    /// </summary>
    public required string? State { get; init; }

    /// <summary>Records that took effect.</summary>
    public required long Succeeded { get; init; }

    /// <summary>Records that failed and may succeed if tried again.</summary>
    public required long Transient { get; init; }

    /// <summary>Records that will never succeed.</summary>
    public required long Terminal { get; init; }

    /// <summary>Where the consumer would continue, or null.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>When it last fetched links of the batch, or null: it has not fetched any under this name.</summary>
    public DateTimeOffset? FetchedAt { get; init; }

    /// <summary>When it first reported, or null.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When it last reported, or null.</summary>
    public DateTimeOffset? UpdatedAt { get; init; }

    /// <summary>
    /// The time since then, as an ISO 8601 duration; counted from <c>readyAt</c> where it has not reported; null before the batch
    /// is ready.
    /// </summary>
    public string? Age { get; init; }

    /// <summary>The rounds of retries, or null where there never was anything to retry.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ReceiptRounds? Rounds { get; init; }

    /// <summary>What can be done next.</summary>
    public required ReceiptLinks Links { get; init; }
}

/// <summary>A receipt in short, as a batch shows it.</summary>
/// <param name="Consumer">The consumer.</param>
/// <param name="State">One of <see cref="ReceiptState"/>, or null where it has not reported yet.</param>
/// <param name="Succeeded">Records that took effect.</param>
/// <param name="Transient">Records that failed and may succeed if tried again.</param>
/// <param name="Terminal">Records that will never succeed.</param>
/// <param name="UpdatedAt">When it last reported, or null.</param>
public sealed record ReceiptSummary(
    string Consumer, string? State, long Succeeded, long Transient, long Terminal, DateTimeOffset? UpdatedAt);

/// <summary>The consumer of a retry or a redelivery: <c>POST …/retries</c> and <c>POST …/redeliveries</c>.</summary>
/// <param name="Consumer">The consumer's name.</param>
public sealed record ConsumerRequest(string Consumer);

/// <summary>A batch that is offered again to one consumer.</summary>
/// <param name="EventId">The BulkReady that is sent.</param>
/// <param name="BatchId">The batch.</param>
/// <param name="Consumer">The consumer that it is for.</param>
public sealed record Redelivery(EventId EventId, BatchId BatchId, string Consumer);
