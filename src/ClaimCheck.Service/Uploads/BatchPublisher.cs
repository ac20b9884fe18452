using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Uploads;

/// <summary>Looks whether all files of a batch have arrived, and hands it over to the workers, which read every byte of them.</summary>
internal sealed class BatchPublisher(UploadStore store, IInbox inbox)
{
    private const int AtOnce = 16;

    /// <returns>What is wrong with which file: then the batch stays open. None where it is published, now or before, or has ended.</returns>
    public async Task<IReadOnlyDictionary<string, string[]>> PublishAsync(UploadedBatch batch, CancellationToken cancellationToken)
    {
        if (!batch.IsOpen)
            return new Dictionary<string, string[]>(StringComparer.Ordinal);
        var errors = new SortedDictionary<int, string>();
        await Parallel.ForEachAsync(
            batch.Files.Where(file => file.ReceivedKey is null),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (file, token) =>
            {
                var size = await inbox.SizeAsync(file.LinkKey(batch.Export.Batch), token);
                if (size == file.Bytes)
                    return;
                lock (errors)
                    errors[file.Ordinal] = size is null ? "It has not arrived." : $"It has {size} bytes, but {file.Bytes} were announced.";
            });
        // Two that publish at once: the one that comes later finds it published.
        if (errors.Count == 0)
            await store.PublishAsync(batch.Export.Batch, cancellationToken);
        return errors.ToDictionary(error => $"files.{batch.Files[error.Key - 1].Name}", error => new[] { error.Value }, StringComparer.Ordinal);
    }
}
