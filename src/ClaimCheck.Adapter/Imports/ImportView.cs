namespace ClaimCheck.Adapter.Imports;

/// <summary>One file's import, as callers see it: without paths of this machine.</summary>
internal sealed record ImportView : ImportFacts
{
    [SetsRequiredMembers]
    public ImportView(ImportRoute route, ImportRun run, StepFailure? lastFailure = null)
        : base(run)
    {
        var (self, hasFailures) = ($"/imports/{run.RunId}", run.Counts.Failed + run.Counts.Invalid > 0);
        (Id, Route, LastFailure) = (run.RunId, route.Name, lastFailure);
        Links = new(
            self, $"{self}/report", $"{self}/failures", HasEnded ? null : self, HasEnded && hasFailures ? $"{self}/retry" : null);
    }

    public string Id { get; }

    public string Route { get; }

    /// <summary>Why it can't be continued at present, or null.</summary>
    public StepFailure? LastFailure { get; }

    public ImportLinks Links { get; }

    public bool HasEnded => RunState.IsEnd(State);
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
