namespace ClaimCheck.Service.Exports;

/// <summary>What an export would be, without making it: from the plan of its query, and from what the last exports of its dataset
/// turned out to be.</summary>
internal sealed class ExportEstimates(DryRuns runs, ExportHistory history)
{
    /// <returns>The estimate, or the reason why it can't be given now.</returns>
    public async Task<(ExportEstimate? Estimate, Refused? Refusal)> MakeAsync(
        Caller caller, FrozenDataset dataset, ExportTerms terms, CancellationToken cancellationToken)
    {
        try
        {
            var run = await runs.PlanAsync(dataset, terms.Criteria, cancellationToken);
            return (Of(run, await history.FindAsync(caller, dataset, terms, cancellationToken), terms.MaxFileBytes), null);
        }
        catch (SourceException e)
        {
            return (null, Refusal(e));
        }
    }

    /// <param name="run">What the source's plan says.</param>
    /// <param name="past">The dataset's last exports, or null.</param>
    /// <param name="maxFileBytes">How large a file gets.</param>
    public static ExportEstimate Of(DryRun run, PastExports? past, long maxFileBytes)
    {
        if (run.Expected is not { } expected || past is null)
            return new(run.Expected, null, null, null, run.Ranges, EstimateBasis.Plan);
        // A plan by statistics that were out of date, once, must not multiply a good one of today.
        var records = Math.Min(expected * (past.Correction ?? 1), Math.Max(expected, 2.0 * past.Largest));
        var bytes = records * past.Bytes / past.Records;
        return new(
            Whole(records), Whole(bytes), FilesOf(bytes, run.Ranges, maxFileBytes),
            Math.Round(records * past.Seconds / past.Records, 1), run.Ranges, EstimateBasis.History);
    }

    // Ranges of the key have files of their own, except the last one, of NULL, which no key may be.
    private static int FilesOf(double bytes, ExportRanges ranges, long maxFileBytes)
    {
        var sets = ranges.By == RangesBy.Key ? Math.Max(1, ranges.Count - 1) : 1;
        return (int)Math.Min(sets * Math.Max(1, Math.Ceiling(bytes / sets / maxFileBytes)), int.MaxValue);
    }

    private static long Whole(double amount) => amount < long.MaxValue ? (long)Math.Round(amount) : long.MaxValue;

    // What the operator has to change makes the dataset unavailable; what these values lead to is the caller's own.
    private static Refused Refusal(SourceException e) => e switch
    {
        { Code: ProblemCodes.SourceRowSecurity or ProblemCodes.SourceSettingsChanged } =>
            Refusals.Unavailable(new(e.Code, e.Message)),
        { IsTransient: true } or { Code: "schema_changed" } =>
            Refusals.Unavailable(new(ProblemCodes.SourceUnavailable, e.Message)),
        _ => Refused.Invalid(
            new Dictionary<string, string[]>
            {
                ["criteria"] = [$"The source can't plan the query with these values. {e.Message}"],
            }),
    };
}
