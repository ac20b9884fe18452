namespace ClaimCheck.Contracts;

/// <summary>Names one bulk job: <c>job_</c> and a UUIDv7 as 32 lower-case hex digits.</summary>
/// <param name="Value">The UUID itself.</param>
[JsonConverter(typeof(JobIdConverter))]
public readonly record struct JobId(Guid Value)
{
    /// <summary>A new id; later ids sort after earlier ones, to the millisecond.</summary>
    public static JobId New() => new(Guid.CreateVersion7());

    /// <summary>Reads the wire form.</summary>
    /// <returns>False when <paramref name="text"/> is not exactly the wire form.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out JobId id)
    {
        var parsed = PrefixedId.TryParse("job_", text, out var value);
        id = new(value);
        return parsed;
    }

    /// <summary>The wire form.</summary>
    public override string ToString() => PrefixedId.Format("job_", Value);

    private sealed class JobIdConverter : JsonConverter<JobId>
    {
        public override JobId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TryParse(reader.GetString(), out var id) ? id : throw new JsonException("Not a job id.");

        public override void Write(Utf8JsonWriter writer, JobId value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}

/// <summary>The states of a bulk job.</summary>
public static class BulkJobStatus
{
    /// <summary>Waits for a worker.</summary>
    public const string Pending = "pending";

    /// <summary>A worker applies it, chunk by chunk.</summary>
    public const string Running = "running";

    /// <summary>All items have an outcome; some of them may have failed.</summary>
    public const string Completed = "completed";

    /// <summary>The job itself failed; what was applied before stays applied, and is counted.</summary>
    public const string Failed = "failed";

    /// <summary>Cancelled between two chunks; what was applied before stays applied, and is counted.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Pending, Running, Completed, Failed, Cancelled];

    /// <summary>Whether nothing will change.</summary>
    public static bool IsEnd(string status) => status is Completed or Failed or Cancelled;
}

/// <summary>What to apply to which items: the JSON body of <c>POST /v1/bulk-jobs</c>. Items come inline or by
/// claim, not both.</summary>
public sealed record BulkJobRequest
{
    /// <summary>The operation's name.</summary>
    public required string Operation { get; init; }

    /// <summary>The items, each an object of the operation's parameters.</summary>
    public IReadOnlyList<JsonElement>? Items { get; init; }

    /// <summary>The claim URL of a batch whose records are the items: of this service, or of one that the
    /// operator allows.</summary>
    public string? Claim { get; init; }

    /// <summary>How long the job, its body and its results are kept after its end, as an ISO 8601 duration; 7
    /// days by default.</summary>
    public string? Ttl { get; init; }
}

/// <summary>The progress of a job.</summary>
/// <param name="Processed">Items with an outcome.</param>
/// <param name="Ratio">Their share, from 0 to 1; null while the number of items is not known.</param>
/// <param name="EstimatedEnd">The estimated end, at its pace so far; null where it can't be estimated.</param>
public sealed record BulkJobProgress(long Processed, double? Ratio, DateTimeOffset? EstimatedEnd);

/// <summary>Why a job itself failed.</summary>
/// <param name="Code">A stable code.</param>
/// <param name="Detail">What happened, in words.</param>
/// <param name="Transient">Whether the same job may succeed later.</param>
public sealed record BulkJobFailure(string Code, string Detail, bool Transient);

/// <summary>What can be done next with a job. Addresses are absolute.</summary>
/// <param name="Self">The job itself.</param>
/// <param name="Failures">Its failed items, paged.</param>
/// <param name="Results">Redirects to the file of results; null until there is one.</param>
/// <param name="Retries">Where POST creates a job of the failed items; null until the job has ended with some.</param>
/// <param name="Cancel">Where DELETE cancels it; null once it has ended.</param>
public sealed record BulkJobLinks(string Self, string Failures, string? Results, string? Retries, string? Cancel);

/// <summary>A bulk job.</summary>
public sealed record BulkJob
{
    /// <summary>Its id.</summary>
    public required JobId JobId { get; init; }

    /// <summary>The operation's name.</summary>
    public required string Operation { get; init; }

    /// <summary>One of <see cref="BulkJobStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>Its items; null while a claim has not been read yet.</summary>
    public long? TotalItems { get; init; }

    /// <summary>Items that were applied.</summary>
    public required long Succeeded { get; init; }

    /// <summary>Items that failed, each with its reason.</summary>
    public required long Failed { get; init; }

    /// <summary>Its progress.</summary>
    public required BulkJobProgress Progress { get; init; }

    /// <summary>When it was requested.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a worker first leased it, or null.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended, or null.</summary>
    public DateTimeOffset? CompletedAt { get; init; }

    /// <summary>When the job, its body and its results are deleted; null until it has ended.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The job whose failed items these are, or null.</summary>
    public JobId? RetryOf { get; init; }

    /// <summary>Why the job itself failed, or null.</summary>
    public BulkJobFailure? Failure { get; init; }

    /// <summary>A link to the outcomes of all processed items, one JSON object per line; null until the job has ended.</summary>
    public Link? ResultUrl { get; init; }

    /// <summary>What can be done next.</summary>
    public required BulkJobLinks Links { get; init; }

    /// <summary>Id and status only: the link to the results is a capability.</summary>
    public override string ToString() => $"{JobId} {Status}";
}

/// <summary>The outcome of one item: a line of a job's results, and of its failures.</summary>
public sealed record BulkItemOutcome
{
    /// <summary>The item's index in the body, from 0.</summary>
    public required long Index { get; init; }

    /// <summary>The value of the operation's key, as text; null where the item had none that could be read.</summary>
    public string? Key { get; init; }

    /// <summary><c>succeeded</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary><c>transient</c> or <c>terminal</c>, of a failed one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Class { get; init; }

    /// <summary>Why it failed: <c>invalid</c>, <c>not_found</c>, <c>unique_violation</c>, …</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Code { get; init; }

    /// <summary>The reason in words, without values.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init; }

    /// <summary>Index, status and code only: a key is data.</summary>
    public override string ToString() => $"{Index} {Status} {Code}";
}

/// <summary>An operation that bulk jobs may apply, as returned by <c>GET /v1/operations/{name}</c>.</summary>
public sealed record OperationInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its title for people, or its name.</summary>
    public required string Title { get; init; }

    /// <summary><c>item</c>, one statement for each item, or <c>set</c>, one for each chunk.</summary>
    public string? Form { get; init; }

    /// <summary>The parameter whose value names an item in results.</summary>
    public string? Key { get; init; }

    /// <summary>Items that are applied in one transaction, unless <see cref="Atomicity"/> is <c>job</c>.</summary>
    public required int Chunk { get; init; }

    /// <summary>What fails together: <c>item</c>, <c>chunk</c> or <c>job</c>.</summary>
    public string? Atomicity { get; init; }

    /// <summary><c>exactlyOnce</c>, or <c>atLeastOnce</c> where a chunk may be applied again after a crash.</summary>
    public string? Delivery { get; init; }

    /// <summary>How many jobs of it run at a time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Its parameters, by name.</summary>
    public required IReadOnlyDictionary<string, DatasetParameter> Parameters { get; init; }

    /// <summary>
    /// JSON Schema of an item; null where the definition could never be read, and then form, key, atomicity and delivery are null
    /// too.
    /// </summary>
    public JsonElement? ItemSchema { get; init; }

    /// <summary>False while something is wrong with it: requests for jobs of it get 503.</summary>
    public required bool Available { get; init; }

    /// <summary>Why it is unavailable, or null.</summary>
    public Unavailability? Unavailable { get; init; }

    /// <summary>The operation's own address, absolute.</summary>
    [SuppressMessage("Design", "CA1056", Justification = "As all addresses in links.")]
    public required string Self { get; init; }
}

/// <summary>The data of a JobCompleted: sent when a job has ended, also where it failed or was cancelled.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Operation">The operation's name; the message attribute <c>dataset</c> has it too.</param>
/// <param name="Status"><c>completed</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="TotalItems">Its items; null where a claim was never read.</param>
/// <param name="Succeeded">Items that were applied.</param>
/// <param name="Failed">Items that were not.</param>
/// <param name="Failure">Why the job itself failed, or null.</param>
public sealed record JobCompletedData(
    JobId JobId, string Operation, string Status, long? TotalItems, long Succeeded, long Failed, BulkJobFailure? Failure);
