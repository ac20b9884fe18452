namespace ClaimCheck.Contracts;

/// <summary>The states of an export, as written on the wire.</summary>
public static class ExportState
{
    /// <summary>Its producer uploads the files of its batch, and has not published it yet.</summary>
    public const string Open = "open";

    /// <summary>Waiting for a worker.</summary>
    public const string Pending = "pending";

    /// <summary>A worker holds its lease and is staging files.</summary>
    public const string Running = "running";

    /// <summary>Its batch can be fetched.</summary>
    public const string Ready = "ready";

    /// <summary>Its retention has passed: the files are deleted. An end state.</summary>
    public const string Expired = "expired";

    /// <summary>Its batch was revoked: every link is dead. An end state.</summary>
    public const string Revoked = "revoked";

    /// <summary>Its tries are used up, or the error was terminal. An end state.</summary>
    public const string Failed = "failed";

    /// <summary>It was cancelled before it was ready. An end state.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>All states, in the order of an export's life.</summary>
    public static IReadOnlyList<string> All { get; } = [Open, Pending, Running, Ready, Expired, Revoked, Failed, Cancelled];

    /// <summary>True for the states that never change again.</summary>
    public static bool IsEnd(string state) => state is Expired or Revoked or Failed or Cancelled;

    /// <summary>True once the export is ready or has ended otherwise: there is nothing left to wait for.</summary>
    public static bool IsSettled(string state) => state == Ready || IsEnd(state);
}

/// <summary>What a client asks for: <c>POST /v1/exports</c>.</summary>
public sealed record ExportRequest
{
    /// <summary>The name of a dataset that the service lists.</summary>
    public required string Dataset { get; init; }

    /// <summary>Values for the dataset's parameters, by name; left out means none.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Criteria { get; init; }

    /// <summary><c>csv</c> (the default) or <c>ndjson</c>.</summary>
    public string? Format { get; init; }

    /// <summary><c>gzip</c> (the default) or <c>none</c>.</summary>
    public string? Compression { get; init; }

    /// <summary>A file is closed before it would grow past this many stored bytes; 64 KiB to 5 GiB, 256 MiB by default.</summary>
    public long? MaxFileBytes { get; init; }

    /// <summary>How long links live, as an ISO 8601 duration, PT1S to P7D; the dataset's own by default.</summary>
    public string? LinkLifetime { get; init; }

    /// <summary>How long the files are kept, counted from ready, as an ISO 8601 duration; the dataset's own by default.</summary>
    public string? Retention { get; init; }
}

/// <summary>The progress of an export. While it runs the figures are those of the current attempt.</summary>
/// <param name="Records">Records written so far.</param>
/// <param name="Bytes">Bytes stored so far.</param>
/// <param name="Files">Files begun so far.</param>
/// <param name="EstimatedRecords">The planner's estimate of all records, or null before it is known.</param>
public sealed record ExportProgress(long Records, long Bytes, int Files, long? EstimatedRecords)
{
    /// <summary>How its source is read, or null before that is known and for a batch that its producer uploads.</summary>
    public ExportRanges? Ranges { get; init; }

    /// <summary>How many records a second are written lately, as a moving average; null where it is not running, or nothing
    /// is written yet.</summary>
    public double? RecordsPerSecond { get; init; }

    /// <summary>How many bytes a second are stored lately; null likewise.</summary>
    public double? BytesPerSecond { get; init; }

    /// <summary>In how many seconds it is done, if it goes on like this and <see cref="EstimatedRecords"/> holds; null where that
    /// can't be said: it is not running, stands still, or has more records than were estimated.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>How good the estimate was, once the export has become ready: <see cref="EstimatedRecords"/> for each of
    /// <see cref="Records"/>, so that 1 is exact, and 2 is twice too many. Null before, without an estimate, and without
    /// records.</summary>
    public double? EstimateRatio { get; init; }
}

/// <summary>How an export's source is read.</summary>
/// <param name="By">One of <see cref="RangesBy"/>.</param>
/// <param name="Count">How many ranges; 1 for one stream.</param>
public sealed record ExportRanges(string By, int Count);

/// <summary>By what an export's source is cut into ranges, which several connections read side by side.</summary>
public static class RangesBy
{
    /// <summary>By a table's pages. The ranges' records share files, in no order.</summary>
    public const string Ctid = "ctid";

    /// <summary>By the dataset's key. Each range has files of its own, in the order of the key.</summary>
    public const string Key = "key";

    /// <summary>Not at all: one connection reads one stream.</summary>
    public const string None = "none";
}

/// <summary>What an export would be: the answer to <c>POST /v1/exports?dryRun=true</c>, which makes none. A figure that is not
/// known is null.</summary>
/// <param name="Records">How many records are expected.</param>
/// <param name="Bytes">How many stored bytes its files would have.</param>
/// <param name="Files">How many files it would have.</param>
/// <param name="Seconds">How long a worker would take for it, without the time that it waits for one.</param>
/// <param name="Ranges">How its source would be read, where the source has a connection for each reader.</param>
/// <param name="BasedOn">One of <see cref="EstimateBasis"/>.</param>
public sealed record ExportEstimate(
    long? Records, long? Bytes, int? Files, double? Seconds, ExportRanges Ranges, string BasedOn);

/// <summary>What an <see cref="ExportEstimate"/> is based on.</summary>
public static class EstimateBasis
{
    /// <summary>The source's plan of the query alone.</summary>
    public const string Plan = "plan";

    /// <summary>The plan, and what the dataset's last exports in that format turned out to be.</summary>
    public const string History = "history";
}

/// <summary>Why an export failed.</summary>
/// <param name="Code">A stable code, for example <c>source_query_failed</c>.</param>
/// <param name="Detail">The reason in words, without data.</param>
/// <param name="Transient">True when another request may succeed.</param>
public sealed record ExportFailure(string Code, string Detail, bool Transient);

/// <summary>What can be done next with an export. Addresses are absolute.</summary>
/// <param name="Self">The export itself.</param>
/// <param name="Batch">Its batch: state, counts, expiry.</param>
/// <param name="Manifest">The claim URL.</param>
/// <param name="Staging">
/// In the first answer only: a link to the manifest's future place in staging, 404 (or 403) until the batch is ready.
/// </param>
/// <param name="Cancel">Where DELETE cancels it, or revokes its batch; null once it has ended.</param>
public sealed record ExportLinks(
    string Self,
    string Batch,
    string Manifest,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Link? Staging,
    string? Cancel);

/// <summary>One export, as returned by <c>GET /v1/exports/{exportId}</c>.</summary>
public sealed record Export
{
    /// <summary>Its id.</summary>
    public required ExportId ExportId { get; init; }

    /// <summary>The id of what it stages.</summary>
    public required BatchId BatchId { get; init; }

    /// <summary>One of <see cref="ExportState"/>.</summary>
    public required string State { get; init; }

    /// <summary>The dataset's name.</summary>
    public required string Dataset { get; init; }

    /// <summary>The dataset's schema version when the export was requested.</summary>
    public required int SchemaVersion { get; init; }

    /// <summary>The criteria, in canonical form.</summary>
    public required JsonElement Criteria { get; init; }

    /// <summary><c>csv</c> or <c>ndjson</c>.</summary>
    public required string Format { get; init; }

    /// <summary><c>gzip</c> or <c>none</c>.</summary>
    public required string Compression { get; init; }

    /// <summary>Its progress.</summary>
    public required ExportProgress Progress { get; init; }

    /// <summary>When it was requested.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a worker first began, or null.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it became ready, or null.</summary>
    public DateTimeOffset? ReadyAt { get; init; }

    /// <summary>When its retention ends, counted from ready, or null.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it reached its end state, or null.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The batch whose failed records this export retries, or null.</summary>
    public BatchId? RetryOf { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public ExportFailure? Failure { get; init; }

    /// <summary>What can be done next.</summary>
    public required ExportLinks Links { get; init; }
}

/// <summary>One page of a list, newest first unless the call says otherwise.</summary>
/// <param name="Items">The rows.</param>
/// <param name="NextCursor">Pass it as <c>cursor</c> for the next page; null on the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);
