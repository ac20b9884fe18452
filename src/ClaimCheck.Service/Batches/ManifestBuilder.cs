namespace ClaimCheck.Service.Batches;

/// <summary>Builds a manifest with fresh links: for the claim URL, and for <c>manifest.json</c> in staging.</summary>
internal sealed class ManifestBuilder(LinkMinter minter, PublicAddress address)
{
    public string ClaimUrl(BatchId batch) => address.Url($"/v1/batches/{batch}/manifest");

    public async Task<Manifest> BuildAsync(
        ExportRow batch, IReadOnlyList<FileRow> files, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var linked = new List<ManifestFile>(files.Count);
        var linksExpireAt = DateTimeOffset.MaxValue;
        foreach (var file in files)
        {
            linked.Add(new()
            {
                Name = file.Name,
                Url = await LinkToAsync(file.Name),
                Records = file.Records,
                Bytes = file.Bytes,
                UncompressedBytes = file.UncompressedBytes,
                Sha256 = Convert.ToHexStringLower(file.Sha256),
                Index = new(await LinkToAsync(file.IndexName), file.IndexBytes, Convert.ToHexStringLower(file.IndexSha256)),
            });

            async Task<Link> LinkToAsync(string name)
            {
                var signed = await minter.MintAsync(
                    batch.Ready, StagingKeys.File(batch.Batch, file.Attempt, name), lifetime, HttpMethods.Get, cancellationToken);
                linksExpireAt = signed.ExpiresAt < linksExpireAt ? signed.ExpiresAt : linksExpireAt;
                return signed.Link;
            }
        }

        var dataset = batch.FrozenDataset;
        return new()
        {
            ExportId = batch.ExportId,
            BatchId = batch.Batch,
            Dataset = batch.Dataset,
            SchemaVersion = batch.SchemaVersion,
            Criteria = batch.CriteriaJson,
            SnapshotAt = batch.SnapshotAt ?? throw new InvalidOperationException($"{batch.Batch} is ready without a snapshot."),
            RowSecurity = dataset.RowSecurity,
            Columns = dataset.Columns,
            Key = dataset.Key,
            OrderedBy = dataset.OrderedBy,
            Format = batch.Format,
            Compression = batch.Compression,
            Records = batch.Records,
            Bytes = batch.Bytes,
            UncompressedBytes = batch.UncompressedBytes,
            LinksExpireAt = batch.ExpiresAt is { } end && end < linksExpireAt ? end : linksExpireAt,
            ClaimUrl = ClaimUrl(batch.Batch),
            Files = linked,
        };
    }
}
