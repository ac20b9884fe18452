using ClaimCheck.Service.Exporting;

namespace ClaimCheck.Service.Uploads;

/// <summary>What the files of one batch may unpack to: a small file that unpacks to a huge one must not keep a worker from others.</summary>
internal sealed class UnpackBudget(UploadsOptions options)
{
    // Up to this much no ratio counts: a header and a few equal records pack well.
    private const long Grace = 64L << 20;

    private long batch;

    /// <exception cref="ExportFailedException">It is more than that.</exception>
    public void Take(UploadFileRow file, int bytes, long unpacked, long stored)
    {
        batch += bytes;
        if (unpacked > Grace && unpacked / options.MaxUnpackRatio > stored)
        {
            throw new ExportFailedException(
                "upload_unpacks_too_far",
                $"{file.Name} unpacks to more than {options.MaxUnpackRatio} times its size: ClaimCheck:Uploads:MaxUnpackRatio is the limit, beyond {Grace >> 20} MiB.",
                isTransient: false);
        }

        if (batch > options.MaxUnpackedBytes)
        {
            throw new ExportFailedException(
                "upload_unpacks_too_far",
                $"The batch's files unpack to more than {options.MaxUnpackedBytes} bytes, which is ClaimCheck:Uploads:MaxUnpackedBytes.",
                isTransient: false);
        }
    }
}
