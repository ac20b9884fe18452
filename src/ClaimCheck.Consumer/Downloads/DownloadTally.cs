namespace ClaimCheck.Consumer.Downloads;

/// <summary>Adds up what a download has verified, for several files at once, and reports the progress in sequence.</summary>
internal sealed class DownloadTally(Manifest manifest, IProgress<DownloadProgress>? progress)
{
    private readonly Lock guard = new();
    private int files;
    private long records;
    private long fetched;
    private long kept;

    public void Block(long blockRecords, long bytes, bool isKept)
    {
        lock (guard)
        {
            records += blockRecords;
            if (isKept)
                kept += bytes;
            else
                fetched += bytes;
            Tell();
        }
    }

    public void FileDone()
    {
        lock (guard)
        {
            files++;
            Tell();
        }
    }

    public DownloadedBatch Result(Manifest of, string directory) => new(of, directory, fetched, kept);

    private void Tell() =>
        progress?.Report(new(manifest.Files.Count, files, manifest.Records, records, manifest.Bytes, fetched + kept, kept));
}
