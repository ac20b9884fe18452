namespace ClaimCheck.Consumer.Downloads;

/// <summary>
/// How large a block, before compression, may be to be read into memory. A larger one does not make the batch invalid.
/// </summary>
/// <param name="Block">For one with several records.</param>
/// <param name="Record">For one with a single record.</param>
internal sealed record BlockLimits(int Block, int Record)
{
    /// <summary>For files that are saved as they are: everything that can be written.</summary>
    public static BlockLimits OfFiles { get; } = new(BatchReaderOptions.LargestRecord, BatchReaderOptions.LargestRecord);

    /// <summary>For records that are read.</summary>
    public static BlockLimits Of(BatchReaderOptions options) => new(options.MaxBlockBytes, options.MaxRecordBytes);

    /// <exception cref="RecordTooLargeException">It is larger; the message names the setting.</exception>
    public void Check(Block block, string place, BatchId batch)
    {
        var isRecord = block.Records == 1;
        var limit = isRecord ? Record : Block;
        if (block.UncompressedBytes <= limit)
            return;
        throw new RecordTooLargeException(
            $"{place} {(isRecord ? "is one record" : $"has {block.Records} records")} of {block.UncompressedBytes} bytes, but "
            + (limit == BatchReaderOptions.LargestRecord
                ? $"{limit} is the limit of this version."
                : $"{nameof(BatchReaderOptions)}."
                    + $"{(isRecord ? nameof(BatchReaderOptions.MaxRecordBytes) : nameof(BatchReaderOptions.MaxBlockBytes))} "
                    + $"is {limit}: "
                    + "raise it, or save the batch's files, to which it does not apply."),
            batch);
    }
}
