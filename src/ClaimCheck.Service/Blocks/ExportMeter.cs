namespace ClaimCheck.Service.Blocks;

/// <summary>The progress of an attempt; written by the exporter, read by the heartbeat.</summary>
internal sealed class ExportMeter
{
    private long records;
    private long bytes;
    private int files;
    private long estimatedRecords = -1;
    private volatile ExportRanges? ranges;

    public long Records => Interlocked.Read(ref records);
    public long Bytes => Interlocked.Read(ref bytes);
    public int Files => Volatile.Read(ref files);
    public long? EstimatedRecords => Interlocked.Read(ref estimatedRecords) is var known and >= 0 ? known : null;

    /// <summary>How the source is read; null before that is known.</summary>
    public ExportRanges? Ranges => ranges;

    public void Stored(long moreRecords, long moreBytes)
    {
        Interlocked.Add(ref records, moreRecords);
        Interlocked.Add(ref bytes, moreBytes);
    }

    public void FileBegun() => Interlocked.Increment(ref files);

    public void Estimated(long all) => Interlocked.Exchange(ref estimatedRecords, all);

    public void Cut(ExportRanges known) => ranges = known;
}
