namespace ClaimCheck.Service.Blocks;

/// <summary>How fast a figure grows: a moving average, in which what lies back counts less and less.</summary>
internal sealed class MovingRate
{
    // After this time what was before counts about a third.
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private long before;
    private TimeSpan seen;

    /// <summary>Per second; null before it has grown.</summary>
    public double? PerSecond { get; private set; }

    /// <param name="value">The figure now.</param>
    /// <param name="since">How long ago the last one was; longer than nothing.</param>
    public void Add(long value, TimeSpan since)
    {
        var growth = (value - before) / since.TotalSeconds;
        before = value;
        if (PerSecond is null && growth <= 0)
            return; // the query is still being planned or sorted
        seen += since;
        // In the beginning all that was seen counts the same: one odd second must not stand for the whole.
        var weight = Math.Max(1 - Math.Exp(-(since / Memory)), since / seen);
        PerSecond = PerSecond is { } rate ? rate + ((growth - rate) * weight) : growth;
    }
}
