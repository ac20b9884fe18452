namespace ClaimCheck.Service.Blocks;

/// <summary>The progress of an attempt; written by the exporter, read by the heartbeat. What its dataset allows is
/// checked as it grows.</summary>
internal sealed class ExportMeter
{
    private readonly TimeProvider clock;
    private readonly MovingRate recordRate = new();
    private readonly MovingRate byteRate = new();
    private long sampledAt;
    private long records;
    private long bytes;
    private int files;
    private long estimatedRecords = -1;
    private volatile ExportRanges? ranges;

    /// <param name="clock">Measures the rates; by default the system's.</param>
    public ExportMeter(TimeProvider? clock = null)
    {
        this.clock = clock ?? TimeProvider.System;
        sampledAt = this.clock.GetTimestamp();
    }

    /// <summary>The most records that the dataset allows, or null.</summary>
    public long? MaxRecords { get; init; }

    /// <summary>The most stored bytes of all files that the dataset allows, or null.</summary>
    public long? MaxBytes { get; init; }

    public long Records => Interlocked.Read(ref records);
    public long Bytes => Interlocked.Read(ref bytes);
    public int Files => Volatile.Read(ref files);
    public long? EstimatedRecords => Interlocked.Read(ref estimatedRecords) is var known and >= 0 ? known : null;

    /// <summary>How the source is read; null before that is known.</summary>
    public ExportRanges? Ranges => ranges;

    /// <summary>Records per second lately, as of the last <see cref="Sample"/>; null before there was one.</summary>
    public double? RecordsPerSecond => recordRate.PerSecond;

    /// <summary>Stored bytes per second, likewise.</summary>
    public double? BytesPerSecond => byteRate.PerSecond;

    /// <exception cref="SourceException">It is more than the dataset allows.</exception>
    public void Stored(long moreRecords, long moreBytes)
    {
        if (Interlocked.Add(ref records, moreRecords) > MaxRecords)
            throw TooLarge($"{MaxRecords:N0} records", "maxRecords");
        if (Interlocked.Add(ref bytes, moreBytes) > MaxBytes)
            throw TooLarge($"{MaxBytes:N0} stored bytes", "maxBytes");
    }

    /// <summary>Measures the rates again: with each heartbeat, by one caller at a time.</summary>
    public void Sample()
    {
        var now = clock.GetTimestamp();
        var since = clock.GetElapsedTime(sampledAt, now);
        if (since <= TimeSpan.Zero)
            return;
        sampledAt = now;
        recordRate.Add(Records, since);
        byteRate.Add(Bytes, since);
    }

    public void FileBegun() => Interlocked.Increment(ref files);

    public void Estimated(long all) => Interlocked.Exchange(ref estimatedRecords, all);

    public void Cut(ExportRanges known) => ranges = known;

    private static SourceException TooLarge(string limit, string field) =>
        new(
            "export_too_large",
            $"The export has more than {limit}, which is {field} of its dataset: narrow its criteria, or let the operator raise "
            + $"{field} and ask for it again.",
            isTransient: false);
}
