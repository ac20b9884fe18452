using ClaimCheck.Contracts;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Uploads;

/// <summary>Files that go to S3 in parts. The upload is opened and recorded here, and completed here; producers only send parts.</summary>
internal sealed class PartUploads(UploadStore store, IStaging staging, IInbox inbox, UploadsOptions options)
{
    private const int MostParts = 1000;

    public bool AreTaken => inbox.TakesParts;

    public long PartBytes(UploadFileRow file) => Math.Max(options.PartBytes, (file.Bytes + MostParts - 1) / MostParts);

    /// <returns>The upload that the file's parts go to, a new one or that which was begun; null where the batch is not open any more.</returns>
    public async Task<StagedUpload?> BeginAsync(BatchId batch, UploadFileRow file, CancellationToken cancellationToken)
    {
        if (Known(file) is { } begun && await IsOpenAsync(begun, cancellationToken))
            return begun;
        var upload = await staging.BeginAsync(file.LinkKey(batch), new StagedContent("application/octet-stream", "upload"), cancellationToken);
        try
        {
            if (await store.BegunPartsAsync(batch, file.Ordinal, upload, cancellationToken))
                return upload;
        }
        catch
        {
            await staging.AbortAsync(upload, CancellationToken.None);
            throw;
        }

        await staging.AbortAsync(upload, cancellationToken);
        return null;
    }

    /// <returns>What is wrong, or null: then the file is whole.</returns>
    public async Task<string?> CompleteAsync(BatchId batch, UploadFileRow file, CancellationToken cancellationToken)
    {
        if (Known(file) is not { } upload)
            return "No upload in parts was begun for it.";
        try
        {
            var parts = await inbox.PartsAsync(upload, cancellationToken);
            var partBytes = PartBytes(file);
            for (var (number, rest) = (1, file.Bytes); rest > 0; number++, rest -= partBytes)
            {
                if (!parts.TryGetValue(number, out var bytes))
                    return $"Its part {number} has not arrived.";
                if (bytes != Math.Min(rest, partBytes))
                    return $"Its part {number} has {bytes} bytes, not {Math.Min(rest, partBytes)}.";
            }

            await inbox.CompleteAsync(upload, cancellationToken);
            return null;
        }
        catch (StagingException e) when (e.IsMissing)
        {
            // Completed before, by a call whose answer was lost, perhaps.
            return await inbox.SizeAsync(file.LinkKey(batch), cancellationToken) == file.Bytes ? null : "Its upload in parts is not there any more: begin anew.";
        }
    }

    private async Task<bool> IsOpenAsync(StagedUpload upload, CancellationToken cancellationToken)
    {
        try
        {
            await inbox.PartsAsync(upload, cancellationToken);
            return true;
        }
        catch (StagingException e) when (e.IsMissing)
        {
            return false;
        }
    }

    private static StagedUpload? Known(UploadFileRow file) => file is { MultipartKey: { } key, MultipartId: { } id } ? new(key, id) : null;
}
