namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Checks that all files of a batch have arrived, and hands it over to the workers, which read every byte of
/// them.</summary>
internal sealed class BatchPublisher(ProducerBatchStore store, MultipartFiles parts)
{
    private const int AtOnce = 16;

    /// <returns>What is wrong with each file: then the batch stays open. Empty where it is published, now or before, or has
    /// ended.</returns>
    public async Task<IReadOnlyDictionary<string, string[]>> PublishAsync(
        ProducerBatch batch, CancellationToken cancellationToken)
    {
        if (!batch.IsOpen)
            return new Dictionary<string, string[]>(StringComparer.Ordinal);
        // The parts are put together only when all have arrived: until then they may be sent again.
        var errors = await OfEachAsync(batch, parts.FaultAsync, cancellationToken);
        if (errors.Count == 0)
            errors = await OfEachAsync(batch, parts.CompleteAsync, cancellationToken);
        // Of two that publish at once, the later one finds it published.
        if (errors.Count == 0)
            await store.PublishAsync(batch.Export.Batch, cancellationToken);
        return errors.ToDictionary(
            error => $"files.{batch.Files[error.Key - 1].Name}", error => new[] { error.Value }, StringComparer.Ordinal);
    }

    private static async Task<SortedDictionary<int, string>> OfEachAsync(
        ProducerBatch batch,
        Func<BatchId, ProducerFile, CancellationToken, Task<string?>> find,
        CancellationToken cancellationToken)
    {
        var errors = new SortedDictionary<int, string>();
        await Parallel.ForEachAsync(
            batch.Files.Where(file => file.ReceivedKey is null),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (file, token) =>
            {
                if (await find(batch.Export.Batch, file, token) is not { } wrong)
                    return;
                lock (errors)
                    errors[file.Ordinal] = wrong;
            });
        return errors;
    }
}
