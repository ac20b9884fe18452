namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Settings below <c>ClaimCheck:Uploads</c>.</summary>
internal sealed class ProducerBatchesOptions : IValidatableObject
{
    // The landing of a batch that has ended is swept for a day: no link to write may live longer.
    private static readonly TimeSpan LongestLink = TimeSpan.FromHours(12);

    /// <summary>How long files may be uploaded to a batch. If it is not published by then, it is cancelled.</summary>
    public TimeSpan OpenFor { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long links to write live; GET …/uploads mints fresh ones.</summary>
    public TimeSpan LinkLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The largest record that is accepted, in bytes: a file without an end of record must not fill the
    /// memory.</summary>
    [Range(1 << 10, 512 << 20)]
    public int LargestRecord { get; init; } = 16 << 20;

    /// <summary>The largest total size of a batch's files in bytes, as they are sent. No more than that is ever stored of
    /// it.</summary>
    [Range(1, long.MaxValue)]
    public long MaxBatchBytes { get; init; } = 1L << 40;

    /// <summary>How many times its own size a file may decompress to, beyond 64 MiB.</summary>
    [Range(2, 1100)]
    public int MaxUnpackRatio { get; init; } = 100;

    /// <summary>What the files of a batch may decompress to in bytes, all together.</summary>
    [Range(1, long.MaxValue)]
    public long MaxUnpackedBytes { get; init; } = 4L << 40;

    /// <summary>The least size of a part of a multipart upload; larger ones are used where there would be more than
    /// 1,000.</summary>
    [Range(5L << 20, 5L << 30)]
    public long PartBytes { get; init; } = 64 << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (OpenFor < TimeSpan.FromSeconds(1) || OpenFor > TimeSpan.FromDays(30))
            yield return new($"ClaimCheck:Uploads:OpenFor is {OpenFor}, but must be between 1 second and 30 days: files that "
                + "nobody publishes would stay.");

        if (LinkLifetime < TimeSpan.FromSeconds(1) || LinkLifetime > LongestLink)
            yield return new($"ClaimCheck:Uploads:LinkLifetime is {LinkLifetime}, but must be between 1 second and 12 hours: a "
                + "link could still write after the landing was swept for the last time.");
    }
}
