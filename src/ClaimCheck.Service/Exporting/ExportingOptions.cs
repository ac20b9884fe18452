namespace ClaimCheck.Service.Exporting;

/// <summary>Settings below <c>ClaimCheck:Exporting</c>.</summary>
internal sealed class ExportingOptions : IValidatableObject
{
    /// <summary>How many exports one process runs at the same time.</summary>
    [Range(1, 64)]
    public int Parallelism { get; init; } = 2;

    /// <summary>How many connections one export reads a table with, each a range of its pages at a time.</summary>
    [Range(1, 64)]
    public int Connections { get; init; } = 2;

    /// <summary>How many bytes of a table such a range has: little enough that skew costs nothing, enough that the start of a
    /// statement does not matter.</summary>
    [Range(1L << 20, 1L << 34)]
    public long RangeBytes { get; init; } = 32 << 20;

    /// <summary>From how many expected records on they bypass the driver, where the connection is not encrypted: that takes a
    /// connection more, and about as long as it saves on some ten thousand records.</summary>
    [Range(0, long.MaxValue)]
    public long BypassRecords { get; init; } = 100_000;

    /// <summary>How long a lease lasts. The export of a dead worker is leased again after it; expired leases are looked for every
    /// third of it.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often an export is tried before it fails.</summary>
    [Range(1, 100)]
    public int Tries { get; init; } = 5;

    /// <summary>How many workers may die over one export before it fails: the export itself may be the cause.</summary>
    [Range(1, 1000)]
    public int Leases { get; init; } = 20;

    /// <summary>The delay after the first failed try; it doubles with each further one, up to
    /// <see cref="LongestDelay"/>.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest delay between two tries.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long the statement that reads an export's rows may take, uploading included; after that its export
    /// fails.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long it may wait for a lock, which only changes of the tables' structure hold.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How compressed files are framed: <c>deflate</c>, one gzip member a file, or <c>gzip</c>, a member for each block,
    /// which is all that consumers of version 0.1 read. Null or empty: what the catalog says, <c>gzip</c> where it comes from
    /// that version.</summary>
    public string? Framing { get; init; }

    /// <summary>How many bytes of memory one export uses to compare its keys, where nothing else guarantees that they differ; the
    /// rest goes to temporary files in the data directory.</summary>
    [Range(1L << 20, 1L << 30)]
    public long KeyMemory { get; init; } = 32 << 20;

    /// <summary>The largest record that is written, in bytes, encoded and before compression: as much as readers accept by
    /// default. An export that finds a larger one fails; workers and readers hold a few records in memory.</summary>
    [Range(1 << 10, OversizedRecord.Largest)]
    public int MaxRecordBytes { get; init; } = 256 << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Lease < TimeSpan.FromSeconds(3))
            yield return new($"ClaimCheck:Exporting:Lease is {Lease}, but must be 3 seconds or more: one late "
                + "heartbeat would lose the lease.");

        if (Framing is not (null or "" or BlockFraming.Deflate or BlockFraming.Gzip))
            yield return new(
                $"ClaimCheck:Exporting:Framing is '{Framing}', but must be deflate or gzip: nobody could read the files.");

        if (Delay <= TimeSpan.Zero || LongestDelay < Delay)
            yield return new($"ClaimCheck:Exporting:Delay is {Delay} and LongestDelay {LongestDelay}, but they must be above "
                + "zero and in order: tries would not be spaced out.");

        if (!IsTimeout(StatementTimeout))
            yield return new($"ClaimCheck:Exporting:StatementTimeout is {StatementTimeout}, but must be between 1 second and 24 "
                + "days: every export would fail.");

        if (!IsTimeout(LockTimeout))
            yield return new($"ClaimCheck:Exporting:LockTimeout is {LockTimeout}, but must be between 1 second and 24 days: an "
                + "export could wait for a lock for ever.");
    }

    // Postgres counts milliseconds in 31 bits, and takes 0 for no limit.
    private static bool IsTimeout(TimeSpan value) => value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(24);
}
