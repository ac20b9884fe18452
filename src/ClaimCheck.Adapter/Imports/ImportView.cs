using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Import;
using ClaimCheck.Import.Running;

namespace ClaimCheck.Adapter.Imports;

/// <summary>One file's import, as callers see it: without paths of this machine.</summary>
internal sealed record ImportView
{
    public required string Id { get; init; }

    public required string Route { get; init; }

    /// <summary>The file's name.</summary>
    public required string File { get; init; }

    /// <summary><c>preparing</c>, <c>running</c>, <c>completed</c> (also with failed records), <c>failed</c> (the file itself) or <c>cancelled</c>.</summary>
    public required string State { get; init; }

    /// <summary>It is being processed.</summary>
    public required bool Active { get; init; }

    public required ImportCounts Counts { get; init; }

    public required string? Sha256 { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset? EndedAt { get; init; }

    public required DateTimeOffset? EstimatedEndAt { get; init; }

    public required DateTimeOffset? NextRetryAt { get; init; }

    public required RunFailure? Failure { get; init; }

    /// <summary>Why it can't be continued at present, or null.</summary>
    public StepFailure? LastFailure { get; init; }

    public required string? RetryOf { get; init; }

    /// <summary>The runs that retry what failed here, by class.</summary>
    public required IReadOnlyDictionary<string, string> Retries { get; init; }

    public required ImportLinks Links { get; init; }

    public bool HasEnded => RunState.IsEnd(State);

    public static ImportView Of(ImportRoute route, ImportRun run, StepFailure? lastFailure = null)
    {
        var (self, hasEnded, hasFailures) = ($"/imports/{run.RunId}", RunState.IsEnd(run.State), run.Counts.Failed + run.Counts.Invalid > 0);
        return new()
        {
            Id = run.RunId,
            Route = route.Name,
            File = run.File,
            State = run.State,
            Active = run.Active,
            Counts = run.Counts,
            Sha256 = run.Sha256,
            StartedAt = run.StartedAt,
            EndedAt = run.EndedAt,
            EstimatedEndAt = run.EstimatedEndAt,
            NextRetryAt = run.NextRetryAt,
            Failure = run.Failure,
            LastFailure = lastFailure,
            RetryOf = run.RetryOf,
            Retries = run.Retries,
            Links = new(self, $"{self}/report", $"{self}/failures", hasEnded ? null : self, hasEnded && hasFailures ? $"{self}/retry" : null),
        };
    }
}

/// <summary>What can be done next with an import.</summary>
/// <param name="Self">The import itself.</param>
/// <param name="Report">Its failures, by class and code.</param>
/// <param name="Failures">Each record that failed.</param>
/// <param name="Cancel">Where DELETE cancels it; null once it has ended.</param>
/// <param name="Retry">Where POST retries failures; null where there are none, or not yet.</param>
internal sealed record ImportLinks(string Self, string Report, string Failures, string? Cancel, string? Retry);

/// <summary>The result of an import.</summary>
/// <param name="Import">The import.</param>
/// <param name="Failures">By class and code, most frequent first, with the lines of the first of them.</param>
internal sealed record ImportReportView(ImportView Import, IReadOnlyList<ImportFailures> Failures);
