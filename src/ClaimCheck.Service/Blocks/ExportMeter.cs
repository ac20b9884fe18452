namespace ClaimCheck.Service.Blocks;

/// <summary>The progress of an attempt; written by the exporter, read by the heartbeat.</summary>
internal sealed class ExportMeter
{
    private long records;
    private long bytes;
    private int files;
    private long estimatedRecords = -1;

    public long Records => Interlocked.Read(ref records);
    public long Bytes => Interlocked.Read(ref bytes);
    public int Files => Volatile.Read(ref files);
    public long? EstimatedRecords => Interlocked.Read(ref estimatedRecords) is var known and >= 0 ? known : null;

    public void Stored(long moreRecords, long moreBytes)
    {
        Interlocked.Add(ref records, moreRecords);
        Interlocked.Add(ref bytes, moreBytes);
    }

    public void FileBegun() => Interlocked.Increment(ref files);

    public void Estimated(long all) => Interlocked.Exchange(ref estimatedRecords, all);
}
