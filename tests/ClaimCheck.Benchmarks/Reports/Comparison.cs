namespace ClaimCheck.Benchmarks.Reports;

/// <summary>One work beside one peer: medians of the rounds, which took turns.</summary>
/// <param name="Work">What the service did.</param>
/// <param name="Peer">What did the same by other means.</param>
/// <param name="Ours">The service's seconds.</param>
/// <param name="Theirs">The peer's seconds.</param>
/// <param name="Ratio">The median of the rounds' own ratios.</param>
/// <param name="Reach">The ratio that is aimed at, at most.</param>
internal sealed record Comparison(string Work, string Peer, double Ours, double Theirs, double Ratio, double Reach)
{
    /// <summary>The service's stored bytes against the peer's; null where nothing is compressed.</summary>
    public double? BytesRatio { get; init; }

    /// <summary>Whether the service may not store more than the peer.</summary>
    public bool LimitsBytes { get; init; }

    /// <summary>CPU seconds of the service for a GB of records, before compression.</summary>
    public double CpuPerGigabyte { get; init; }

    /// <summary>The same of all the peer's processes; null where the peer is the service itself.</summary>
    public double? PeerCpuPerGigabyte { get; init; }

    /// <summary>The most memory that the service had.</summary>
    public long PeakBytes { get; init; }

    public bool IsReached => Ratio <= Reach && !(LimitsBytes && BytesRatio > 1);
}

/// <summary>How long a row took in an export of so many rows.</summary>
internal sealed record RowTime(long Rows, double Seconds)
{
    public double Microseconds => Seconds * 1_000_000 / Rows;
}

/// <summary>One run of the bench.</summary>
internal sealed record Report(DateTimeOffset Date, string Machine, string Command, long Orders, int Rounds)
{
    public required IReadOnlyList<Comparison> Comparisons { get; init; }
    public IReadOnlyList<RowTime> RowTimes { get; init; } = [];

    /// <summary>What was left out, and why.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];

    /// <summary>The service's limit of memory, whatever is exported.</summary>
    public const long MostBytes = 200_000_000;

    public bool IsReached => Comparisons.All(one => one.IsReached && one.PeakBytes <= MostBytes) && IsFlat;

    /// <summary>Whether a row of a larger export takes no longer than one of the export before it, with a
    /// tenth for noise.</summary>
    public bool IsFlat => RowTimes.Zip(RowTimes.Skip(1)).All(pair => pair.Second.Microseconds <= pair.First.Microseconds * 1.1);
}
