using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ClaimCheck.Import.Mapping;

namespace ClaimCheck.Import.Reading;

/// <summary>Cuts a feed into batches. Batches that were used are given back, so that memory does not grow with the file.</summary>
internal sealed class BatchCutter(Feed feed, RecordMapping mapping, RunLimits limits)
{
    private readonly ConcurrentBag<FeedBatch> used = [];

    /// <param name="covered">How many records a batch covers that is not wanted now; null where it is wanted, negative where none is from there on.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<FeedBatch> ReadAsync(
        Func<int, int?> covered, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var item = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(item, RecordJson.Writer);
        for (var number = 1; ; number++)
        {
            if (covered(number) is { } skipped)
            {
                if (skipped < 0)
                    yield break;
                for (var i = 0; i < skipped; i++)
                    await feed.Records.ReadAsync(cancellationToken);
                continue;
            }
            var batch = used.TryTake(out var again) ? again : new FeedBatch();
            batch.Begin(number);
            while (batch.Count < limits.BatchSize && batch.InvalidCount < limits.BatchSize && batch.ItemBytes < limits.BatchBytes
                && await feed.Records.ReadAsync(cancellationToken))
            {
                item.ResetWrittenCount();
                json.Reset();
                Cut(batch, json, item);
            }
            if (batch is { Count: 0, InvalidCount: 0 })
                yield break;
            yield return batch;
        }
    }

    public void GiveBack(FeedBatch batch) => used.Add(batch);

    private void Cut(FeedBatch batch, Utf8JsonWriter json, ArrayBufferWriter<byte> item)
    {
        var records = feed.Records;
        if (records.IsTooLong)
        {
            batch.AddInvalid(records.Line, default, RecordReader.TooLong(limits.Reading.RecordBytes));
            return;
        }
        var fault = feed.Format.Take(records.Record) ?? mapping.Write(json);
        var line = feed.Format.Line ?? records.Line;
        if (fault is not null)
        {
            batch.AddInvalid(line, records.Record.Span, fault);
            return;
        }
        json.Flush();
        batch.Add(line, records.Record.Span, item.WrittenSpan);
    }
}

/// <summary>What decides which record is in which batch, and what is sent of it: fixed when a run begins.</summary>
/// <param name="Reading">How the file is read.</param>
/// <param name="Mapping">What is made of a record.</param>
/// <param name="BatchSize">Records of a batch, at most.</param>
/// <param name="BatchBytes">Bytes of a batch, save for its last record.</param>
internal sealed record RunLimits(ReadingOptions Reading, MappingOptions Mapping, int BatchSize, int BatchBytes);
