using ClaimCheck.Consumer;

namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>The records of a batch, read as any consumer reads them: verified block by block, and not at all once the batch is
/// revoked. No copy is kept, so that a revocation takes the data back from here too.</summary>
internal sealed class ClaimItems(
    Operation operation, ClaimedBatches batches, ClaimedBatch claimed, TimeProvider time) : JobItems, IAsyncDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private ClaimCheckClient? client;
    private BatchReader? reader;
    private Manifest? manifest;
    private BatchPosition? place; // behind what was read last
    private long checkedAt;

    public override Task<long> CountAsync(CancellationToken cancellationToken) =>
        GuardAsync(async () => (await OpenAsync(cancellationToken)).Records);

    public override async IAsyncEnumerable<JobItem> ReadAsync(
        long position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batch = await GuardAsync(() => OpenAsync(cancellationToken));
        var columns = batch.Columns.Select(column => column.Name).ToList();
        var (places, fault) = TextItems.Match(operation, columns, mayHaveOthers: true);
        if (places is null)
            throw new JobFailedException("claim_does_not_fit", $"The batch does not fit the operation: {fault}");
        var items = new TextItems(operation, places);
        var fields = new string?[columns.Count];
        // A retry picks its items in ascending order, without starting from the beginning each time.
        var from = place is { } before && before.Records <= position ? before : BatchPosition.Start(batch.BatchId);
        await using var records = reader!.ReadRecordsFromAsync(from, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await GuardAsync(() => records.MoveNextAsync().AsTask()))
        {
            place = records.Current.Next;
            var index = records.Current.Next.Records - 1;
            if (index < position)
                continue;
            yield return Read(items, index, records.Current.Value, fields, places);
        }
    }

    // A value that can't be read fails its item only.
    private static JobItem Read(TextItems items, long index, Record record, string?[] fields, IReadOnlyList<int> places)
    {
        string? fault = null;
        for (var column = 0; column < fields.Length; column++)
        {
            try
            {
                fields[column] = places[column] < 0 ? null : record.GetPostgresText(column);
            }
            catch (RecordMismatchException e)
            {
                fields[column] = null;
                fault ??= e.Message;
            }
        }

        var item = items.Read(index, fields);
        return fault is null ? item : item with { Values = null, Invalid = fault };
    }

    public override async IAsyncEnumerable<JobItem> PickAsync(
        IReadOnlyList<long> indexes, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = 0;
        await foreach (var item in ReadAsync(indexes[0], cancellationToken))
        {
            if (item.Index != indexes[next])
                continue;
            yield return item;
            if (++next == indexes.Count)
                yield break;
        }
    }

    public override async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (checkedAt != 0 && time.GetElapsedTime(checkedAt) < LookAgain)
            return;
        var state = (await GuardAsync(async () =>
        {
            await OpenAsync(cancellationToken);
            return await client!.GetBatchAsync(claimed.BatchId, cancellationToken);
        })).State;
        if (state != ExportState.Ready)
        {
            reader!.MarkRevoked(claimed.BatchId);
            throw Ended(state == ExportState.Expired ? ProblemCodes.BatchExpired : ProblemCodes.BatchRevoked);
        }

        checkedAt = time.GetTimestamp();
    }

    public ValueTask DisposeAsync()
    {
        reader?.Dispose();
        client?.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<Manifest> OpenAsync(CancellationToken cancellationToken)
    {
        if (client is null)
            (client, reader) = await batches.OpenAsync(claimed, cancellationToken);
        return manifest ??= await client.GetManifestAsync(claimed.BatchId, cancellationToken);
    }

    private static async Task<T> GuardAsync<T>(Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (BatchEndedException e)
        {
            throw Ended(e.Code);
        }
        catch (ClaimCheckException e)
        {
            throw new JobFailedException("claim_unreadable", $"The claimed batch can't be read: {e.Message}", e.IsTransient);
        }
    }

    private static JobFailedException Ended(string code) => new(
        code, code == ProblemCodes.BatchRevoked
            ? "The claimed batch was revoked; what was applied before is counted."
            : $"The claimed batch has ended ({code}).");
}
