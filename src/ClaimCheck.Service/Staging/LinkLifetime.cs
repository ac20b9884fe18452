namespace ClaimCheck.Service.Staging;

/// <summary>How long a link may live: S3's limit, which the folder observes too.</summary>
internal static class LinkLifetime
{
    /// <summary>SigV4's limit. https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    public static void Check(TimeSpan lifetime)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        // Otherwise the SDK would silently sign a link of the old, weaker kind (SigV2).
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lifetime, Longest);
    }
}
