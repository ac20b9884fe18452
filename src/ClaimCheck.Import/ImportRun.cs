using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace ClaimCheck.Import;

/// <summary>A run with its progress.</summary>
internal record ImportFacts : RunFacts
{
    [SetsRequiredMembers]
    public ImportFacts(RunFacts run, bool isActive, ImportCounts counts)
        : base(run)
    {
        Active = isActive;
        Counts = counts;
    }

    /// <summary>A process works on it. A run that has not ended and is not active waits to be resumed.</summary>
    public bool Active { get; }

    public ImportCounts Counts { get; }

    /// <summary>The estimated end, at its rate so far.</summary>
    public DateTimeOffset? EstimatedEndAt { get; init; }

    /// <summary>When failures are sent again.</summary>
    public DateTimeOffset? NextRetryAt { get; init; }
}

/// <summary>A run as it is shown: what it imports, its progress, how it ended.</summary>
internal sealed record ImportRun : ImportFacts
{
    [SetsRequiredMembers]
    public ImportRun(RunDocument run, RunDirectory directory, JournalHistory history, bool isActive, TimeProvider time)
        : base(run, isActive, new(run.Records, history.Tally))
    {
        var tally = history.Tally;
        var hasEnded = RunState.IsEnd(run.State);
        (RunId, Name, Source) = (run.RunId, run.Name, run.Source);
        EstimatedEndAt = isActive && !hasEnded ? Estimate(run, history, time) : null;
        NextRetryAt =
            !hasEnded && tally.Retrying > 0 && history.NextDue is { } due ? DateTimeOffset.FromUnixTimeMilliseconds(due) : null;
        Rejects = tally.Failed + tally.Invalid > 0 ? directory.Rejects : null;
    }

    public string RunId { get; }

    /// <summary>The import's name.</summary>
    public string Name { get; }

    public string Source { get; }

    /// <summary>The file of the rejects; null where there are none.</summary>
    [JsonPropertyName("failureBucket")]
    public string? Rejects { get; }

    private static DateTimeOffset? Estimate(RunDocument run, JournalHistory history, TimeProvider time)
    {
        var done = history.Tally.Ended;
        if (run.Records is not { } all || history is not { FirstAt: { } first, LastAt: { } last } || done == 0 || last == first)
            return null;
        return time.GetUtcNow().AddMilliseconds((all - done) * ((last - first) / (double)done));
    }
}

/// <summary>Each record of a file is counted once.</summary>
/// <param name="Records">All; null until the file was inspected.</param>
/// <param name="Succeeded">Accepted by the endpoint.</param>
/// <param name="Retrying">Failed transiently, to be sent again.</param>
/// <param name="Failed">Among the rejects, after they were sent.</param>
/// <param name="Invalid">Among the rejects without being sent.</param>
/// <param name="Pending">Not sent yet.</param>
internal sealed record ImportCounts(long? Records, long Succeeded, long Retrying, long Failed, long Invalid, long Pending)
{
    public ImportCounts(long? records, RunTally tally)
        : this(
            records, tally.Succeeded, tally.Retrying, tally.Failed, tally.Invalid, (records ?? 0) - tally.Ended - tally.Retrying)
    {
    }
}
