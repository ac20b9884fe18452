using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer.Downloads;

/// <summary>How large a block may be, before compression, that is taken into memory. A larger one does not make the batch faulty.</summary>
/// <param name="Block">Of several records.</param>
/// <param name="Record">Of one.</param>
internal sealed record BlockLimits(int Block, int Record)
{
    /// <summary>Where files are saved as they are: all that can be written.</summary>
    public static BlockLimits OfFiles { get; } = new(BatchReaderOptions.LargestRecord, BatchReaderOptions.LargestRecord);

    /// <summary>Where records are read.</summary>
    public static BlockLimits Of(BatchReaderOptions options) => new(options.MaxBlockBytes, options.MaxRecordBytes);

    /// <exception cref="RecordTooLargeException">It is larger; the text says by which setting.</exception>
    public void Check(Block block, string place, BatchId batch)
    {
        var isRecord = block.Records == 1;
        var limit = isRecord ? Record : Block;
        if (block.UncompressedBytes <= limit)
            return;
        throw new RecordTooLargeException(
            $"{place} {(isRecord ? "is one record" : $"holds {block.Records} records")} of {block.UncompressedBytes} bytes, but "
            + (limit == BatchReaderOptions.LargestRecord
                ? $"{limit} is the most that this version takes."
                : $"{nameof(BatchReaderOptions)}.{(isRecord ? nameof(BatchReaderOptions.MaxRecordBytes) : nameof(BatchReaderOptions.MaxBlockBytes))} is {limit}: "
                    + "raise it, or save the batch's files, for which it does not count."),
            batch);
    }
}
