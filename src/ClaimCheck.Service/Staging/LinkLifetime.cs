namespace ClaimCheck.Service.Staging;

/// <summary>How long a link may live: S3's limit, which the folder keeps too.</summary>
internal static class LinkLifetime
{
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    public static void Check(TimeSpan lifetime)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        // The SDK would answer a link of the old, weaker kind (SigV2) without a word.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, Longest);
    }
}
