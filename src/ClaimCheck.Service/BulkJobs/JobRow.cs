using ClaimCheck.Contracts;
using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs;

/// <summary>
/// A row of <c>bulk_jobs</c>, as Dapper reads it by <see cref="Columns"/>: what callers see of a job, without its body.
/// </summary>
internal sealed record JobRow
{
    public const string Columns = """
        id, tenant, operation, total_items, status, cancel_requested_at, processed, succeeded, failed, created_at, started_at,
        completed_at, expires_at, erased_at, retry_of, body_of, result_key, failure_code, failure_detail, failure_transient,
        now() - started_at AS running_for, expires_at - now() AS remaining
        """;

    public required Guid Id { get; init; }
    public required string Tenant { get; init; }
    public required string Operation { get; init; }
    public long? TotalItems { get; init; }
    public required string Status { get; init; }
    public DateTimeOffset? CancelRequestedAt { get; init; }
    public required long Processed { get; init; }
    public required long Succeeded { get; init; }
    public required long Failed { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public DateTimeOffset? ErasedAt { get; init; }
    public Guid? RetryOf { get; init; }
    public Guid? BodyOf { get; init; }
    public string? ResultKey { get; init; }
    public string? FailureCode { get; init; }
    public string? FailureDetail { get; init; }
    public bool? FailureTransient { get; init; }
    public TimeSpan? RunningFor { get; init; }
    public TimeSpan? Remaining { get; init; }

    public JobId JobId => new(Id);

    public bool IsEnded => BulkJobStatus.IsEnd(Status);

    public BulkJobFailure? Failure => FailureCode is null ? null : new(FailureCode, FailureDetail ?? "", FailureTransient ?? false);
}

/// <summary>A job that a worker has leased.</summary>
internal sealed record JobLease
{
    public required JobId JobId { get; init; }
    public required Guid Token { get; init; }
    public required string Tenant { get; init; }
    public required Operation Operation { get; init; }
    public required string Source { get; init; }
    public JobBody? Body { get; init; }
    public string? ClaimUrl { get; init; }
    public JobId? BodyOf { get; init; }
    public JobId? RetryOf { get; init; }
    public string? RetryClass { get; init; }
    public required long RetryFrom { get; init; }
    public required long NextChunk { get; init; }
    public required long Processed { get; init; }
    public required int Leases { get; init; }
    public required int Tries { get; init; }
    public required bool IsCancelled { get; init; }
    public string? TraceParent { get; init; }

    /// <summary>Only what may be logged.</summary>
    public override string ToString() => $"{JobId}";
}
