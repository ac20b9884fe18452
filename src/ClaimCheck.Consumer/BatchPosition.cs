using System.Globalization;
using System.Runtime.InteropServices;

namespace ClaimCheck.Consumer;

/// <summary>A position between two records of a batch, from which a read can continue. It is valid for that batch only.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="File">The file's index in the manifest, from 0.</param>
/// <param name="Block">The block's index in the file, from 0.</param>
/// <param name="Record">Records of the block that come before it.</param>
/// <param name="Records">Records of the batch that come before it. Compared with the manifest when a read continues from
/// here.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct BatchPosition(BatchId BatchId, int File, int Block, long Record, long Records)
{
    /// <summary>The beginning of a batch.</summary>
    public static BatchPosition Start(BatchId batchId) => new(batchId, 0, 0, 0, 0);

    /// <summary>Parses what <see cref="ToString"/> wrote.</summary>
    /// <param name="batchId">The batch that the position belongs to.</param>
    /// <param name="text">The text.</param>
    /// <param name="position">The position.</param>
    /// <returns>False where the text is not such a position.</returns>
    public static bool TryParse(BatchId batchId, [NotNullWhen(true)] string? text, out BatchPosition position)
    {
        position = Start(batchId);
        if (text?.Split('/') is not [var file, var block, var record, var records]
            || !int.TryParse(file, NumberStyles.None, CultureInfo.InvariantCulture, out var fileOrdinal)
            || !int.TryParse(block, NumberStyles.None, CultureInfo.InvariantCulture, out var blockOrdinal)
            || !long.TryParse(record, NumberStyles.None, CultureInfo.InvariantCulture, out var inBlock)
            || !long.TryParse(records, NumberStyles.None, CultureInfo.InvariantCulture, out var before))
            return false;
        position = new(batchId, fileOrdinal, blockOrdinal, inBlock, before);
        return true;
    }

    /// <summary>
    /// The position without its batch, for example <c>1/20/300/1203000</c>: file, block, record in it, records before.
    /// </summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}/{Block}/{Record}/{Records}");
}

/// <summary>A record, and the position behind it.</summary>
/// <typeparam name="T">The record's type.</typeparam>
/// <param name="Value">The record.</param>
/// <param name="Next">Where a later read continues once this record has taken effect.</param>
public readonly record struct PositionedRecord<T>(T Value, BatchPosition Next)
{
    /// <summary>The position only: a record is data.</summary>
    public override string ToString() => Next.ToString();
}
