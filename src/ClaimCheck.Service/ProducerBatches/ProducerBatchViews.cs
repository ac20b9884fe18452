namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Batches that are being uploaded, as their producers see them, with fresh links to write.</summary>
internal sealed class ProducerBatchViews(
    ProducerBatchStore store, LinkMinter minter, MultipartFiles uploads, PublicAddress address, ProducerBatchesOptions options)
{
    public static string PathOf(BatchId batch) => $"/v1/batches/{batch}/uploads";

    public async Task<UploadBatch> ShowAsync(ProducerBatch batch, CancellationToken cancellationToken)
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

        UploadFile Show(ProducerFile file)
        {
            var content = address.Url($"{self}/files/{file.Name}");
            return new(
                file.Name,
                file.Bytes,
                Convert.ToHexStringLower(file.Sha256),
                file.Records,
                file.ReceivedKey is not null,
                links is null ? null : content,
                links?.GetValueOrDefault(file.Ordinal),
                links is null || !uploads.AreTaken || file.ReceivedKey is not null ? null : content + "/multipart");
        }
    }

    /// <summary>The parts of a file that goes to an open upload, each with its link.</summary>
    /// <returns>Null where the batch is not open.</returns>
    public async Task<MultipartUpload?> ShowPartsAsync(
        ProducerBatch batch, ProducerFile file, StagedMultipartUpload upload, long partBytes, CancellationToken cancellationToken)
    {
        var parts = new List<UploadPart>();
        for (var (number, rest) = (1, file.Bytes); rest > 0; number++, rest -= partBytes)
        {
            var bytes = Math.Min(rest, partBytes);
            parts.Add(new(number, bytes, Link(
                await minter.MintPartAsync(batch.Export.Open, upload, number, bytes, options.LinkLifetime, cancellationToken))));
        }

        return await store.LinkedAsync(batch.Export.Batch, parts.Max(part => part.Link.ExpiresAt), cancellationToken)
            ? new(partBytes, parts, address.Url($"/v1/batches/{batch.Export.Batch}/files/{file.Name}/multipart/complete"))
            : null;
    }

    // How long they can write is recorded before anyone has them. A file that has arrived has no link, and neither has one too
    // large for one part.
    private async Task<IReadOnlyDictionary<int, UploadLink>?> MintAsync(ProducerBatch batch, CancellationToken cancellationToken)
    {
        var links = new Dictionary<int, UploadLink>();
        var begun = uploads.AreTaken ? await uploads.BeginAllAsync(batch, cancellationToken) : null;
        foreach (var file in batch.Files.Where(file => file.ReceivedKey is null))
        {
            if (begun is null)
                links[file.Ordinal] = Link(await minter.MintUploadAsync(
                    batch.Export.Open, file.LinkKey(batch.Export.Batch), options.LinkLifetime, cancellationToken));
            else if (file.Bytes <= MultipartFiles.LargestPart && begun.TryGetValue(file.Ordinal, out var upload))
                links[file.Ordinal] = Link(await minter.MintPartAsync(
                    batch.Export.Open, upload, 1, file.Bytes, options.LinkLifetime, cancellationToken));
        }

        return links.Count == 0
            || await store.LinkedAsync(batch.Export.Batch, links.Values.Max(link => link.ExpiresAt), cancellationToken)
            ? links
            : null;
    }

    private static UploadLink Link(SignedLink signed) => new(HttpMethods.Put, signed.Link, signed.ExpiresAt);
}
