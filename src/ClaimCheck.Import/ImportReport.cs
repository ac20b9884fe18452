namespace ClaimCheck.Import;

/// <summary>The result of a run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Failures">Its rejects, most frequent first.</param>
internal sealed record ImportReport(ImportRun Run, IReadOnlyList<ImportFailures> Failures)
{
    private const int LongestExamples = 20;

    /// <summary>The run, and its rejects by class and code.</summary>
    /// <exception cref="ImportException">The run does not exist.</exception>
    public static async Task<ImportReport> ReadAsync(ImportRuns runs, string runId, CancellationToken cancellationToken)
    {
        var run = await runs.ShowAsync(runId, cancellationToken);
        var kinds = new Dictionary<(string Class, string Code), (long Count, List<long> Lines)>();
        await foreach (var line in runs.DirectoryOf(runId).RejectLinesAsync(cancellationToken))
        {
            var failure = RejectLine.Read(line);
            var kind = (failure.Class!, failure.Code!);
            var (count, lines) = kinds.GetValueOrDefault(kind, (0, []));
            if (lines.Count < LongestExamples)
                lines.Add(failure.Line ?? 0);
            kinds[kind] = (count + 1, lines);
        }
        return new(run, [.. kinds.OrderByDescending(kind => kind.Value.Count)
            .Select(kind => new ImportFailures(kind.Key.Class, kind.Key.Code, kind.Value.Count, kind.Value.Lines))]);
    }
}

/// <summary>Failures of one kind.</summary>
/// <param name="Class"><c>invalid</c>, <c>transient</c> or <c>terminal</c>.</param>
/// <param name="Code">The endpoint's or the import's own.</param>
/// <param name="Count">How many.</param>
/// <param name="Lines">The lines of the first of them.</param>
internal sealed record ImportFailures(string Class, string Code, long Count, IReadOnlyList<long> Lines);
