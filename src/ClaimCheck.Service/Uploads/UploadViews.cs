using ClaimCheck.Contracts;
using ClaimCheck.Service.Exports;
using ClaimCheck.Service.Hosting;
using ClaimCheck.Service.Links;
using ClaimCheck.Service.Staging;

namespace ClaimCheck.Service.Uploads;

/// <summary>Batches that are being uploaded as their producers see them, with fresh links to write.</summary>
internal sealed class UploadViews(UploadStore store, LinkMinter minter, IInbox inbox, PublicAddress address, UploadsOptions options)
{
    public static string PathOf(BatchId batch) => $"/v1/batches/{batch}/uploads";

    public async Task<UploadBatch> ShowAsync(UploadedBatch batch, CancellationToken cancellationToken)
    {
        var links = batch.IsOpen ? await MintAsync(batch, cancellationToken) : null;
        var (export, self) = (batch.Export, $"/v1/batches/{batch.Export.Batch}");
        return new()
        {
            BatchId = export.Batch,
            ExportId = export.ExportId,
            State = export.EffectiveState,
            OpenUntil = batch.OpenUntil,
            PublishedAt = batch.PublishedAt,
            Files = [.. batch.Files.Select(Show)],
            Links = new(
                address.Url(PathOf(export.Batch)),
                address.Url(self),
                address.Url(ExportViews.PathOf(export.ExportId)),
                ExportState.IsEnd(export.EffectiveState) ? null : address.Url(self + "/publish"),
                address.Url(self)),
        };

        UploadFile Show(UploadFileRow file, int at)
        {
            var content = address.Url($"{self}/files/{file.Name}");
            return new(
                file.Name,
                file.Bytes,
                Convert.ToHexStringLower(file.Sha256),
                file.Records,
                file.ReceivedKey is not null,
                links is null ? null : content,
                links is null ? null : links[at],
                links is null || !inbox.TakesParts ? null : content + "/multipart");
        }
    }

    /// <summary>The parts of a file that goes to an open upload, each with its link.</summary>
    /// <returns>Null where the batch is not open any more.</returns>
    public async Task<MultipartUpload?> ShowPartsAsync(
        UploadedBatch batch, UploadFileRow file, StagedUpload upload, long partBytes, CancellationToken cancellationToken)
    {
        var parts = new List<UploadPart>();
        for (var (number, rest) = (1, file.Bytes); rest > 0; number++, rest -= partBytes)
        {
            var signed = await minter.MintUploadAsync(batch.Export, upload.Key, (upload, number), options.LinkLifetime, cancellationToken);
            parts.Add(new(number, Math.Min(rest, partBytes), Link(signed)));
        }

        return await store.LinkedAsync(batch.Export.Batch, parts.Max(part => part.Link.ExpiresAt), cancellationToken)
            ? new(partBytes, parts, address.Url($"/v1/batches/{batch.Export.Batch}/files/{file.Name}/multipart/complete"))
            : null;
    }

    // How long they can write is noted before anyone has them.
    private async Task<List<UploadLink>?> MintAsync(UploadedBatch batch, CancellationToken cancellationToken)
    {
        var links = new List<UploadLink>(batch.Files.Count);
        foreach (var file in batch.Files)
            links.Add(Link(await minter.MintUploadAsync(batch.Export, file.LinkKey(batch.Export.Batch), null, options.LinkLifetime, cancellationToken)));
        return await store.LinkedAsync(batch.Export.Batch, links.Max(link => link.ExpiresAt), cancellationToken) ? links : null;
    }

    private static UploadLink Link(SignedLink signed) => new(HttpMethods.Put, signed.Link, signed.ExpiresAt);
}
