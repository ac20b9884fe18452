namespace ClaimCheck.Service.BulkJobs;

/// <summary>Settings below <c>ClaimCheck:BulkJobs</c>.</summary>
internal sealed class BulkJobsOptions : IValidatableObject
{
    public const string Section = "ClaimCheck:BulkJobs";

    /// <summary>The largest body of NDJSON or CSV.</summary>
    [Range(1, long.MaxValue)]
    public long MaxBodyBytes { get; init; } = 5L << 30;

    /// <summary>The largest single item of such a body; a larger one is invalid.</summary>
    [Range(1024, 64 << 20)]
    public int MaxItemBytes { get; init; } = 1 << 20;

    /// <summary>The most items of a job whose operation is atomic as a whole: they are one transaction of the target.</summary>
    [Range(1, int.MaxValue)]
    public int MaxAtomicItems { get; init; } = 100_000;

    /// <summary>The most items of a job that may fail: each is kept with its key and its reason. With more, the
    /// job itself fails.</summary>
    [Range(1, int.MaxValue)]
    public int MaxFailures { get; init; } = 1_000_000;

    /// <summary>How many jobs one process runs at the same time.</summary>
    [Range(1, 64)]
    public int Parallelism { get; init; } = 2;

    /// <summary>How long a silent worker keeps a job.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many workers in a row may die over one job without any progress before it fails.</summary>
    [Range(1, 1000)]
    public int Leases { get; init; } = 20;

    /// <summary>How often a chunk that gave way to other work is tried again as it is, and a job whose staging or catalog
    /// failed.</summary>
    [Range(1, 100)]
    public int Tries { get; init; } = 5;

    /// <summary>How many more rounds there are for items that failed transiently, before they stay failed.</summary>
    [Range(0, 100)]
    public int Rounds { get; init; } = 3;

    /// <summary>The delay before the first retry; it doubles with each further one, up to <see cref="LongestDelay"/>.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest delay between two tries.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a target may be unreachable before its job fails.</summary>
    public TimeSpan TargetPatience { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a chunk may take.</summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a chunk may wait for a lock.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a job, its body and its results are kept after its end, unless it says otherwise.</summary>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Other services whose batches may be claimed. No other host is ever called.</summary>
    public IReadOnlyList<ClaimHost> ClaimHosts { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Lease < TimeSpan.FromSeconds(3))
            yield return new(
                $"{Section}:Lease is {Lease}, but must be 3 seconds or more: one late heartbeat would lose the lease.");
        if (Delay <= TimeSpan.Zero || LongestDelay < Delay)
            yield return new($"{Section}:Delay is {Delay} and LongestDelay {LongestDelay}, but they must be above zero and in "
                + "order: tries would not be spaced out.");
        if (TargetPatience < TimeSpan.Zero)
            yield return new($"{Section}:TargetPatience is {TargetPatience}, but must not be below zero: every job would fail.");
        foreach (var (name, value) in new[] { (nameof(StatementTimeout), StatementTimeout), (nameof(LockTimeout), LockTimeout) })
        {
            // Postgres counts milliseconds in 31 bits, and takes 0 for no limit.
            if (value < TimeSpan.FromMilliseconds(100) || value > TimeSpan.FromDays(24))
                yield return new($"{Section}:{name} is {value}, but must be between 100 milliseconds and 24 days: every job "
                    + "would fail, or wait for ever.");
        }

        if (TimeToLive < TimeSpan.FromSeconds(1) || TimeToLive > TimeSpan.FromDays(3650))
            yield return new(
                $"{Section}:TimeToLive is {TimeToLive}, but must be between 1 second and 3650 days: nobody could read a result.");
        foreach (var host in ClaimHosts.Where(host => host.Origin is null))
            yield return new($"{Section}:ClaimHosts has the address '{host.Address}', but must have http(s)://host[:port]: "
                + "no claim would match it.");
    }
}

/// <summary>Another ClaimCheck whose batches may be claimed.</summary>
internal sealed class ClaimHost
{
    /// <summary>Its address, with which claim URLs begin.</summary>
    public string Address { get; init; } = "";

    /// <summary>The key for it, or none.</summary>
    public string? Key { get; init; }

    /// <summary>The hosts that links in its manifests may lead to besides its own, such as its bucket's.</summary>
    public IReadOnlyList<string> LinkHosts { get; init; } = [];

    public Uri? Origin => Uri.TryCreate(Address, UriKind.Absolute, out var uri)
        && uri is { Scheme: "http" or "https", UserInfo.Length: 0, Query.Length: 0, Fragment.Length: 0 } ? uri : null;

    /// <summary>The address only: the key is a secret.</summary>
    public override string ToString() => Address;
}
