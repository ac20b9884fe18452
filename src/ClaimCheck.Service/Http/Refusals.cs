namespace ClaimCheck.Service.Http;

/// <summary>Refusals that several features of the service share.</summary>
internal static class Refusals
{
    /// <summary>A dataset or operation that can't be used at present: until its database answers, or until its definition is
    /// fixed.</summary>
    public static Refused Unavailable(Unavailability why) =>
        new(why.Code, why.Detail, RetryAfter: TimeSpan.FromSeconds(why.Code == ProblemCodes.SourceUnavailable ? 10 : 60));

    public static Refused NotReady(TimeSpan retryAfter) => new(ProblemCodes.NotReady, RetryAfter: retryAfter);

    /// <summary>A batch that has ended; <paramref name="state"/> is its end state.</summary>
    public static Refused Gone(string state) => new(state switch
    {
        ExportState.Revoked => ProblemCodes.BatchRevoked,
        ExportState.Expired => ProblemCodes.BatchExpired,
        ExportState.Cancelled => ProblemCodes.ExportCancelled,
        ExportState.Failed => ProblemCodes.ExportFailed,
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "Not an end state."),
    });
}
