using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace ClaimCheck.Import.Reading;

/// <summary>Splits a record file into batches. Used batches are returned, so that memory does not grow with the file.</summary>
internal sealed class BatchCutter(OpenRecordFile file, RecordMapping mapping, RunLimits limits)
{
    private readonly ConcurrentBag<RecordBatch> used = [];

    /// <summary>
    /// A batch that was read before covers the same records again. A last record without a line end is a batch by itself: only
    /// that one can change when the file grows.
    /// </summary>
    /// <param name="wish">What to do with a batch, by its number.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public async IAsyncEnumerable<RecordBatch> ReadAsync(
        Func<int, BatchWish> wish, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var isAhead = false; // a record that was read, and belongs to the next batch
        var item = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(item, RecordJson.Writer);
        for (var number = 1; ; number++)
        {
            var (isWanted, covers) = wish(number);
            if (!isWanted)
            {
                if (covers is null)
                    yield break;
                for (var i = isAhead ? 1 : 0; i < covers; i++)
                    await file.ReadAsync(cancellationToken);
                isAhead = false;
                continue;
            }
            var batch = used.TryTake(out var again) ? again : new RecordBatch();
            batch.Begin(number);
            while (HasRoom(batch, covers) && (isAhead || await file.ReadAsync(cancellationToken)))
            {
                isAhead = covers is null && file.IsOpenEnded && batch is not { Count: 0, InvalidCount: 0 };
                if (isAhead)
                    break;
                batch.IsOpenEnded = covers is null && file.IsOpenEnded;
                item.ResetWrittenCount();
                json.Reset();
                Cut(batch, json, item);
            }
            if (batch is { Count: 0, InvalidCount: 0 })
                yield break;
            yield return batch;
        }
    }

    public void GiveBack(RecordBatch batch) => used.Add(batch);

    private bool HasRoom(RecordBatch batch, int? covers) => covers is { } known
        ? batch.Count + batch.InvalidCount < known
        : batch.Count < limits.BatchSize && batch.InvalidCount < limits.BatchSize && batch.ItemBytes < limits.BatchBytes;

    private void Cut(RecordBatch batch, Utf8JsonWriter json, ArrayBufferWriter<byte> item)
    {
        if (file.TooLong is { } tooLong)
        {
            batch.AddInvalid(file.Line, default, tooLong);
            return;
        }
        var fault = file.Format.Take(file.Record) ?? mapping.Write(json);
        var line = file.Format.Line ?? file.Line;
        if (fault is not null)
        {
            batch.AddInvalid(line, file.Record.Span, fault);
            return;
        }
        json.Flush();
        batch.Add(line, file.Record.Span, item.WrittenSpan);
    }
}

/// <summary>What to do with a batch.</summary>
/// <param name="IsWanted">It is returned; otherwise it is skipped.</param>
/// <param name="Covers">How many records it covers, where that is known; of one that is not wanted: null where none
/// is from there on.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct BatchWish(bool IsWanted, int? Covers);

/// <summary>What decides which record is in which batch, and what is sent of it: fixed when a run begins.</summary>
/// <param name="Reading">How the file is read.</param>
/// <param name="Mapping">How a record is converted.</param>
/// <param name="BatchSize">Records of a batch, at most.</param>
/// <param name="BatchBytes">Bytes of a batch, not counting its last record.</param>
internal sealed record RunLimits(ReadingOptions Reading, MappingOptions Mapping, int BatchSize, int BatchBytes);
