namespace ClaimCheck.Adapter.Retries;

/// <summary>
/// Why something is tried again: shown while it fails, and removed once it succeeds. Contains no link, no key and no record.
/// </summary>
/// <param name="Step">What failed: a state's name, a duty's, or other background work.</param>
/// <param name="Code">A stable code.</param>
/// <param name="Detail">In words.</param>
/// <param name="At">When it failed last.</param>
/// <param name="Since">When it first did, of the tries that failed in a row.</param>
/// <param name="Tries">How many those are, over all processes.</param>
/// <param name="NextTryAt">When it is tried again.</param>
internal sealed record StepFailure(
    string Step, string Code, string Detail, DateTimeOffset At, DateTimeOffset Since, int Tries, DateTimeOffset? NextTryAt)
{
    /// <summary>An unexpected failure; its message may contain anything, and is only in the log.</summary>
    public const string UnexpectedCode = "unexpected";

    private const int LongestDetail = 1000;

    /// <summary>One more try that failed.</summary>
    public static StepFailure After(
        StepFailure? before, string step, string code, string detail, DateTimeOffset now, TimeSpan pause) => new(
            step, code, detail.Length > LongestDetail ? detail[..LongestDetail] : detail, now,
            before?.Step == step ? before.Since : now, before?.Step == step ? before.Tries + 1 : 1, now + pause);

    public static string Unexpected(Exception e) => $"An unexpected {e.GetType().Name} occurred; the log has the details.";
}
