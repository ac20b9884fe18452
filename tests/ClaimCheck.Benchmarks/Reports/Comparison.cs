using System.Globalization;

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
    public IReadOnlyList<Comparison> Comparisons { get; init; } = [];
    public IReadOnlyList<RowTime> RowTimes { get; init; } = [];

    /// <summary>What was left out, and why.</summary>
    public IReadOnlyList<string> Skipped { get; init; } = [];

    public Report Add(Comparison comparison) => this with { Comparisons = [.. Comparisons, comparison] };

    public Report Add(RowTime time) => this with { RowTimes = [.. RowTimes, time] };

    public Report Skip(string what) => this with { Skipped = [.. Skipped, what] };

    /// <summary>The service's limit of memory, whatever is exported.</summary>
    public const long MostBytes = 200_000_000;

    /// <summary>What the run has so far, a line for each.</summary>
    public IEnumerable<string> Lines() =>
    [
        .. Comparisons.Select(one => string.Create(CultureInfo.InvariantCulture,
            $"{one.Work} against {one.Peer}: {one.Ours:0.00} s, {one.Theirs:0.00} s, ratio {one.Ratio:0.00} (aim {one.Reach:0.00})")),
        .. RowTimes.Select(time => string.Create(CultureInfo.InvariantCulture,
            $"{time.Rows:N0} rows: {time.Seconds:0.00} s, {time.Microseconds:0.00} µs a row")),
        .. Skipped.Select(what => $"Skipped: {what}"),
    ];

    public bool IsReached => Comparisons.All(one => one.IsReached && one.PeakBytes <= MostBytes) && IsFlat;

    /// <summary>Whether the time of a row does not grow from one size to the next; a tenth is noise.</summary>
    public bool IsFlat => RowTimes.Zip(RowTimes.Skip(1)).All(pair => pair.Second.Microseconds <= pair.First.Microseconds * 1.1);
}
