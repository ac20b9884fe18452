namespace ClaimCheck.Adapter.Retries;

/// <summary>How failures are tried again.</summary>
internal sealed class RetryOptions
{
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(5);

    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a notice or a receipt is tried before it is given up.</summary>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(3);
}
