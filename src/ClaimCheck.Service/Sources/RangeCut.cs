namespace ClaimCheck.Service.Sources;

/// <summary>How a source is read: in ranges that several sessions read side by side, or in one stream.</summary>
/// <param name="By">One of <see cref="RangesBy"/>.</param>
/// <param name="Queries">Those of the ranges, which together return what the whole query returns; none where it is one
/// stream.</param>
internal sealed record RangeCut(string By, IReadOnlyList<string> Queries)
{
    /// <summary>One stream.</summary>
    public static RangeCut None { get; } = new(RangesBy.None, []);

    /// <summary>As callers see it: one stream counts as one range.</summary>
    public ExportRanges Shown => new(By, Math.Max(1, Queries.Count));
}
