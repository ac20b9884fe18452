namespace ClaimCheck.Service.Receipts.Ledger;

/// <summary>Settings below <c>ClaimCheck:Receipts</c>.</summary>
internal sealed class ReceiptOptions : IValidatableObject
{
    /// <summary>How many rounds of retries a consumer has for one batch; what is transient after the last one
    /// becomes terminal.</summary>
    [Range(1, 100)]
    public int RetryRounds { get; init; } = 5;

    /// <summary>The delay between the end of the first round and the second one; it doubles with each further round.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest delay between two rounds.</summary>
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The delay after a number of rounds.</summary>
    public TimeSpan DelayAfter(int rounds)
    {
        var delay = RetryDelay * Math.Pow(2, Math.Clamp(rounds - 1, 0, 40));
        return delay > LongestRetryDelay ? LongestRetryDelay : delay;
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (RetryDelay < TimeSpan.Zero || LongestRetryDelay < RetryDelay || LongestRetryDelay > TimeSpan.FromDays(365))
        {
            yield return new(
                $"ClaimCheck:Receipts:RetryDelay is {RetryDelay} and LongestRetryDelay {LongestRetryDelay}, but they must not " +
                "be negative, and be in order and at most a year: rounds of retries would not be spaced out.");
        }
    }
}
