using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>Adds up what a download has verified, and tells who watches.</summary>
internal sealed class DownloadTally(Manifest manifest, IProgress<DownloadProgress>? progress)
{
    private int files;
    private long records;
    private long fetched;
    private long kept;

    public void Block(long blockRecords, long bytes, bool isKept)
    {
        records += blockRecords;
        if (isKept)
            kept += bytes;
        else
            fetched += bytes;
        Tell();
    }

    public void FileDone()
    {
        files++;
        Tell();
    }

    public DownloadedBatch Result(Manifest of, string directory) => new(of, directory, fetched, kept);

    private void Tell() =>
        progress?.Report(new(manifest.Files.Count, files, manifest.Records, records, manifest.Bytes, fetched + kept, kept));
}
