using ClaimCheck.Service.Receipts.Ledger;

namespace ClaimCheck.Service.Receipts;

/// <summary>What a consumer may report. Before the end state anything up to the batch's records; the end state when its counts
/// add up; after it only the same again, or that a revoked batch is discarded. Reports on a revoked or expired batch are accepted
/// too.</summary>
internal static class ReceiptRules
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    /// <returns>The refusal, or null.</returns>
    public static Refused? Check(ExportRow batch, ReceiptRow? before, ReceiptReport report)
    {
        if (Reportable(batch) is { } early)
            return early;
        if (before is { IsEnded: true })
        {
            if (before.IsRepeatedBy(report))
                return null;
            if (report.State != ReceiptState.Discarded || before.IsDiscarded)
                return new Refused(ProblemCodes.ReceiptEnded, $"The receipt is {before.State}, and the request would change it.");
        }

        // The sum of an end state is checked first: where it is not the batch's, nothing else matters.
        if (report.State != ReceiptState.Discarded && ReceiptState.IsEnd(report.State))
            return AddsUp(batch, before, report) ?? Fits(report);
        if (TooLarge(batch, report) is { Count: > 0 } errors)
            return Refused.Invalid(errors);
        return report.State != ReceiptState.Discarded || batch.EffectiveState == ExportState.Revoked
            ? null
            : new Refused(ProblemCodes.BatchNotRevoked);
    }

    /// <summary>Why nothing can be reported on the batch: it is not ready yet, or never was. Else null.</summary>
    public static Refused? Reportable(ExportRow batch) =>
        batch.ReadyAt is not null ? null
        : ExportState.IsEnd(batch.EffectiveState) ? Refusals.Gone(batch.EffectiveState)
        : Refusals.NotReady(AskAgain);

    private static Dictionary<string, string[]> TooLarge(ExportRow batch, ReceiptReport report) =>
        new (string Name, long Count)[] { ("succeeded", report.Succeeded), ("transient", report.Transient),
            ("terminal", report.Terminal) }
            .Where(count => count.Count > batch.Records)
            .ToDictionary(count => count.Name, _ => new[] { $"The batch has {batch.Records} records." }, StringComparer.Ordinal);

    // Whether a consumer calls a batch with failures partiallyFailed or failed is its own choice, as is the number of successes.
    private static Refused? Fits(ReceiptReport report)
    {
        var failures = report.Transient + report.Terminal;
        if (report.State == ReceiptState.Completed)
            return failures == 0 ? null : Invalid("completed means that no record has failed.");
        return failures > 0 ? null : Invalid($"{report.State} means that some records have failed.");

        static Refused Invalid(string rule) => Refused.Invalid(new Dictionary<string, string[]> { ["state"] = [rule] });
    }

    private static Refused? AddsUp(ExportRow batch, ReceiptRow? before, ReceiptReport report)
    {
        var sum = (Int128)report.Succeeded + report.Transient + report.Terminal;
        if (sum != batch.Records)
        {
            return new Refused(
                ProblemCodes.CountsDoNotAddUp,
                $"{report.Succeeded} succeeded, {report.Transient} transient and {report.Terminal} terminal are {sum}, but the "
                + $"batch has {batch.Records} records.");
        }

        // After the batch's end its keys are not kept, and none are accepted: the counts alone are used.
        var (transient, terminal) = (before?.ListedTransient ?? 0, before?.ListedTerminal ?? 0);
        if (batch.EffectiveState == ExportState.Ready && (transient != report.Transient || terminal != report.Terminal))
        {
            return new Refused(
                ProblemCodes.CountsDoNotAddUp,
                $"{report.Transient} transient and {report.Terminal} terminal are reported, but {transient} and "
                + $"{terminal} are listed.");
        }

        return null;
    }
}
