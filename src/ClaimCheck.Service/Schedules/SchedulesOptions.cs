namespace ClaimCheck.Service.Schedules;

/// <summary>Settings below <c>ClaimCheck:Schedules</c>.</summary>
internal sealed class SchedulesOptions : IValidatableObject
{
    /// <summary>A fire time that is noticed later than this counts as missed: the catch-up policy decides about it.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How many missed fire times <c>all</c> catches up, the latest ones; older ones are skipped.</summary>
    [Range(1, 1000)]
    public int MostMissed { get; init; } = 100;

    /// <summary>How many runs of one schedule may wait, with the overlap policy <c>queue</c>.</summary>
    [Range(1, 1000)]
    public int MostQueued { get; init; } = 10;

    /// <summary>How many runs of one schedule the history keeps: that many started ones, and that many others.</summary>
    [Range(10, 100_000)]
    public int History { get; init; } = 1000;

    /// <summary>How long a run waits for an unreachable source before it fails.</summary>
    public TimeSpan SourcePatience { get; init; } = TimeSpan.FromHours(1);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Grace < TimeSpan.FromSeconds(1) || Grace > TimeSpan.FromDays(1))
            yield return new($"ClaimCheck:Schedules:Grace is {Grace}, but must be between 1 second and 1 day: fire times would "
                + "count as missed at once.");

        if (SourcePatience < TimeSpan.Zero || SourcePatience > TimeSpan.FromDays(7))
            yield return new($"ClaimCheck:Schedules:SourcePatience is {SourcePatience}, but must be between 0 and 7 days: a run "
                + "would wait for its source too long to be of use.");
    }
}
