namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Limits what the files of one batch may decompress to: a small file that decompresses to a huge one must not occupy a
/// worker.</summary>
internal sealed class UnpackBudget(ProducerBatchesOptions options)
{
    // Up to this size no ratio counts: a header and a few equal records compress well.
    private const long Grace = 64L << 20;

    private long batch;

    /// <exception cref="SourceException">It is more than that.</exception>
    public void Take(ProducerFile file, int bytes, long unpacked, long stored)
    {
        batch += bytes;
        if (unpacked > Grace && unpacked / options.MaxUnpackRatio > stored)
        {
            throw new SourceException(
                "upload_unpacks_too_far",
                $"{file.Name} unpacks to more than {options.MaxUnpackRatio} times its size: ClaimCheck:Uploads:MaxUnpackRatio is "
                + $"the limit, beyond {Grace >> 20} MiB.",
                isTransient: false);
        }

        if (batch > options.MaxUnpackedBytes)
        {
            throw new SourceException(
                "upload_unpacks_too_far",
                $"The batch's files unpack to more than {options.MaxUnpackedBytes} bytes, which is "
                + "ClaimCheck:Uploads:MaxUnpackedBytes.",
                isTransient: false);
        }
    }
}
