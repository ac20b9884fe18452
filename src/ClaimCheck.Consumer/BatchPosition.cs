using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using ClaimCheck.Contracts;

namespace ClaimCheck.Consumer;

/// <summary>A place between two records of a batch, from which a read can go on. It is valid for that batch alone.</summary>
/// <param name="BatchId">The batch.</param>
/// <param name="File">The file's place in the manifest, from 0.</param>
/// <param name="Block">The block's place in the file, from 0.</param>
/// <param name="Record">Records of the block that come before it.</param>
/// <param name="Records">Records of the batch that come before it. Held against the manifest when a read goes on from here.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct BatchPosition(BatchId BatchId, int File, int Block, long Record, long Records)
{
    /// <summary>The beginning of a batch.</summary>
    public static BatchPosition Start(BatchId batchId) => new(batchId, 0, 0, 0, 0);

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <param name="batchId">The batch that it is a place in.</param>
    /// <param name="text">The text.</param>
    /// <param name="position">The place.</param>
    /// <returns>False where the text is no such place.</returns>
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

    /// <summary>The place without its batch, for example <c>1/20/300/1203000</c>: file, block, record in it, records before.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{File}/{Block}/{Record}/{Records}");
}

/// <summary>A record, and the place behind it.</summary>
/// <typeparam name="T">The record's type.</typeparam>
/// <param name="Value">The record.</param>
/// <param name="Next">Where a later read goes on once this record has taken effect.</param>
public readonly record struct PositionedRecord<T>(T Value, BatchPosition Next)
{
    /// <summary>The place alone: a record is data.</summary>
    public override string ToString() => Next.ToString();
}
