using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>A row of <c>bulk_jobs</c>, as Dapper reads it by <see cref="Columns"/>: what callers see of a job, without its
/// body.</summary>
internal sealed record JobRow(
    Guid Id, string Tenant, string Operation, long? TotalItems, string Status, long Processed, long Succeeded,
    long Failed, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt,
    DateTimeOffset? ExpiresAt, DateTimeOffset? ErasedAt, Guid? RetryOf, Guid? BodyOf, string? ResultKey,
    string? FailureCode, string? FailureDetail, bool? FailureTransient, TimeSpan? RunningFor, TimeSpan? Remaining)
{
    public const string Columns = """
        id, tenant, operation, total_items, status, processed, succeeded, failed, created_at, started_at,
        completed_at, expires_at, erased_at, retry_of, body_of, result_key, failure_code, failure_detail, failure_transient,
        now() - started_at AS running_for, expires_at - now() AS remaining
        """;

    public JobId JobId => new(Id);

    public bool IsEnded => BulkJobStatus.IsEnd(Status);

    public BulkJobFailure? Failure =>
        FailureCode is null ? null : new(FailureCode, FailureDetail ?? "", FailureTransient ?? false);
}

/// <summary>A job that a worker has leased, as Dapper reads it. Its lane is the caller and operation whose turn it was.</summary>
internal sealed record JobLease(
    Guid Id, Guid Token, string Definition, string Source, byte[]? Inline, string? BodyKey, long BodyBytes, byte[]? BodyIndex,
    string? ClaimUrl, Guid? BodyOf, Guid? RetryOf, string? RetryClass, long RetryFrom, long? TotalItems, long NextChunk,
    long Processed, int Leases, int Tries, bool IsCancelled, string? TraceParent, string Lane)
{
    public JobId JobId => new(Id);

    public Operation Operation => field ??= JsonSerializer.Deserialize<Operation>(Definition, ClaimCheckJson.Options)!;

    public JobBody? Body => BodyIndex is null ? null : new(Inline, BodyKey, BodyIndex, BodyBytes, TotalItems ?? 0);

    /// <summary>Only what may be logged.</summary>
    public override string ToString() => $"{JobId}";
}
