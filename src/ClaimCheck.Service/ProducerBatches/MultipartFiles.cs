using System.Collections.Concurrent;

namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Files that producers send to S3 themselves: each is one upload, opened and recorded here, and completed here.
/// Producers only send parts, so that nothing can appear that was not recorded, or after the upload was aborted.</summary>
internal sealed class MultipartFiles(
    ProducerBatchStore store, FileCopies copies, IStaging staging, ILanding inbox, ProducerBatchesOptions options)
{
    /// <summary>The largest part that S3 accepts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html</summary>
    public const long LargestPart = 5L << 30;

    private const int MostParts = 1000; // except files beyond 5 TB, which have up to 1,024
    private const int AtOnce = 16;

    public bool AreTaken => inbox.TakesParts;

    public long PartBytes(ProducerFile file) =>
        Math.Min(LargestPart, Math.Max(options.PartBytes, (file.Bytes + MostParts - 1) / MostParts));

    /// <returns>The upload that the file's parts go to, new or begun before; null where the batch or file does not accept parts
    ///.</returns>
    public async Task<StagedMultipartUpload?> BeginAsync(BatchId batch, ProducerFile file, CancellationToken cancellationToken) =>
        Known(file) is { } begun && await PartsAsync(begun, cancellationToken) is not null
            ? begun
            : await BeginAnewAsync(batch, file, cancellationToken);

    /// <summary>The uploads of all files that have not arrived, by the files' ordinals; begun where there are none.</summary>
    public async Task<IReadOnlyDictionary<int, StagedMultipartUpload>> BeginAllAsync(
        ProducerBatch batch, CancellationToken cancellationToken)
    {
        var uploads = new ConcurrentDictionary<int, StagedMultipartUpload>();
        var awaited = batch.Files.Where(file => file.ReceivedKey is null).ToList();
        if (awaited.Count == 0)
            return uploads;
        // One listing shows which of them S3 still knows: a lifecycle rule may have aborted some.
        HashSet<StagedMultipartUpload> open = awaited.Exists(file => Known(file) is not null)
            ? await staging.ListUploadsAsync(StagingKeys.Landing(batch.Export.Batch), cancellationToken)
                .ToHashSetAsync(cancellationToken: cancellationToken)
            : [];
        await Parallel.ForEachAsync(
            awaited,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (file, token) =>
            {
                var upload = Known(file) is { } begun && open.Contains(begun)
                    ? begun
                    : await BeginAnewAsync(batch.Export.Batch, file, token);
                if (upload is not null)
                    uploads[file.Ordinal] = upload;
            });
        return uploads;
    }

    /// <returns>What is wrong with what has arrived, or null.</returns>
    public async Task<string?> FaultAsync(BatchId batch, ProducerFile file, CancellationToken cancellationToken) =>
        (await LookAsync(batch, file, cancellationToken)).Wrong;

    /// <summary>Puts the file together. It is not accepted again then.</summary>
    /// <returns>What is wrong, or null: then the file is complete.</returns>
    public async Task<string?> CompleteAsync(BatchId batch, ProducerFile file, CancellationToken cancellationToken)
    {
        var (wrong, parts) = await LookAsync(batch, file, cancellationToken);
        if (wrong is not null)
            return wrong;
        if (parts > 0)
        {
            try
            {
                await inbox.CompleteAsync(Known(file)!, parts, cancellationToken);
            }
            catch (StagingException e) when (e.IsMissing)
            {
                // Completed by another call, or aborted.
                if (await inbox.SizeAsync(file.LinkKey(batch), cancellationToken) != file.Bytes)
                    return "Its upload has ended: ask for new links.";
            }
        }

        await store.ReceivedAsync(batch, file.Ordinal, file.LinkKey(batch), cancellationToken);
        await copies.TryRemoveAsync(batch, file, cancellationToken);
        return null;
    }

    private async Task<(string? Wrong, int Parts)> LookAsync(
        BatchId batch, ProducerFile file, CancellationToken cancellationToken)
    {
        var parts = Known(file) is { } upload ? await PartsAsync(upload, cancellationToken) : null;
        if (parts is null or { Count: 0 })
        {
            // Completed before, perhaps by a call whose answer was lost.
            var size = await inbox.SizeAsync(file.LinkKey(batch), cancellationToken);
            return (size == file.Bytes
                ? null
                : size is null ? "It has not arrived."
                : $"It has {size} bytes, but {file.Bytes} were announced.", 0);
        }

        // Sent as a whole, by the file's own link.
        if (parts.GetValueOrDefault(1) == file.Bytes)
            return (null, 1);
        var (partBytes, number) = (PartBytes(file), 1);
        for (var rest = file.Bytes; rest > 0; number++, rest -= partBytes)
        {
            if (!parts.TryGetValue(number, out var bytes))
                return ($"Its part {number} has not arrived.", 0);
            if (bytes != Math.Min(rest, partBytes))
                return ($"Its part {number} has {bytes} bytes, not {Math.Min(rest, partBytes)}.", 0);
        }

        return (null, number - 1);
    }

    private async Task<StagedMultipartUpload?> BeginAnewAsync(
        BatchId batch, ProducerFile file, CancellationToken cancellationToken)
    {
        var upload = await staging.BeginAsync(
            file.LinkKey(batch), new StagedContent("application/octet-stream", "upload"), cancellationToken);
        try
        {
            if (await store.BegunPartsAsync(batch, file, upload, cancellationToken))
                return upload;
        }
        catch
        {
            await staging.AbortAsync(upload, CancellationToken.None);
            throw;
        }

        await staging.AbortAsync(upload, cancellationToken);
        // Another call may have begun one meanwhile.
        return await store.FindOpenFileAsync(batch, file.Ordinal, cancellationToken) is { ReceivedKey: null } now
            && now.MultipartId != file.MultipartId
            ? Known(now)
            : null;
    }

    /// <returns>Null where S3 does not know the upload.</returns>
    private async Task<IReadOnlyDictionary<int, long>?> PartsAsync(
        StagedMultipartUpload upload, CancellationToken cancellationToken)
    {
        try
        {
            return await inbox.PartsAsync(upload, cancellationToken);
        }
        catch (StagingException e) when (e.IsMissing)
        {
            return null;
        }
    }

    private static StagedMultipartUpload? Known(ProducerFile file) =>
        file is { MultipartKey: { } key, MultipartId: { } id } ? new(key, id) : null;
}
