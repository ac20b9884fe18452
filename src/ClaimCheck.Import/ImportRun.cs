using System.Text.Json.Serialization;
using ClaimCheck.Import.Runs;

namespace ClaimCheck.Import;

/// <summary>A run as it is shown: what it imports, its progress, how it ended.</summary>
internal sealed record ImportRun
{
    public required string RunId { get; init; }

    /// <summary>The import's name.</summary>
    public required string Name { get; init; }

    public required string File { get; init; }

    public required string Source { get; init; }

    /// <summary><c>preparing</c>, <c>running</c>, <c>completed</c> (also with failed records), <c>failed</c> (the file itself) or <c>cancelled</c>.</summary>
    public required string State { get; init; }

    /// <summary>A process works on it. A run that has not ended and is not active waits to be resumed.</summary>
    public required bool Active { get; init; }

    public required ImportCounts Counts { get; init; }

    public string? Sha256 { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The estimated end, at its rate so far.</summary>
    public DateTimeOffset? EstimatedEndAt { get; init; }

    /// <summary>When failures are sent again.</summary>
    public DateTimeOffset? NextRetryAt { get; init; }

    /// <summary>The file of the rejects; null where there are none.</summary>
    [JsonPropertyName("failureBucket")]
    public string? Rejects { get; init; }

    public RunFailure? Failure { get; init; }

    public string? RetryOf { get; init; }

    /// <summary>The runs that retry what failed here, by class.</summary>
    public required IReadOnlyDictionary<string, string> Retries { get; init; }

    public static ImportRun Of(RunDocument run, RunDirectory directory, JournalHistory history, bool isActive, TimeProvider time)
    {
        var tally = history.Tally;
        var hasEnded = RunState.IsEnd(run.State);
        return new()
        {
            RunId = run.RunId,
            Name = run.Name,
            File = run.File,
            Source = run.Source,
            State = run.State,
            Active = isActive,
            Counts = new()
            {
                Records = run.Records,
                Succeeded = tally.Succeeded,
                Retrying = tally.Retrying,
                Failed = tally.Failed,
                Invalid = tally.Invalid,
                Pending = (run.Records ?? 0) - tally.Ended - tally.Retrying,
            },
            Sha256 = run.Sha256,
            StartedAt = run.StartedAt,
            EndedAt = run.EndedAt,
            EstimatedEndAt = isActive && !hasEnded ? Estimate(run, history, time) : null,
            NextRetryAt = !hasEnded && tally.Retrying > 0 && history.NextDue is { } due ? DateTimeOffset.FromUnixTimeMilliseconds(due) : null,
            Rejects = tally.Failed + tally.Invalid > 0 ? directory.Rejects : null,
            Failure = run.Failure,
            RetryOf = run.RetryOf,
            Retries = run.Retries,
        };
    }

    private static DateTimeOffset? Estimate(RunDocument run, JournalHistory history, TimeProvider time)
    {
        var done = history.Tally.Ended;
        if (run.Records is not { } all || history is not { FirstAt: { } first, LastAt: { } last } || done == 0 || last == first)
            return null;
        return time.GetUtcNow().AddMilliseconds((all - done) * ((last - first) / (double)done));
    }
}

/// <summary>Each record of a file is counted once.</summary>
internal sealed record ImportCounts
{
    /// <summary>All; null until the file was inspected.</summary>
    public required long? Records { get; init; }

    public required long Succeeded { get; init; }

    /// <summary>Failed transiently, to be sent again.</summary>
    public required long Retrying { get; init; }

    /// <summary>Among the rejects, after they were sent.</summary>
    public required long Failed { get; init; }

    /// <summary>Among the rejects without being sent.</summary>
    public required long Invalid { get; init; }

    /// <summary>Not sent yet.</summary>
    public required long Pending { get; init; }
}
