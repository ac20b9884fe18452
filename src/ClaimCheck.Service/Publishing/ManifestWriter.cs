using ClaimCheck.Service.Batches;

namespace ClaimCheck.Service.Publishing;

/// <summary>Writes the manifest that a BulkReady's link leads to: <c>manifest.json</c>, the last object of a batch. Each
/// redelivery of the batch gets a manifest of its own, so that none is replaced while it is read.</summary>
internal sealed class ManifestWriter(
    NpgsqlDataSource catalog, MultipartUploads uploads, IStaging staging, ManifestBuilder manifests)
{
    /// <summary>Writes a manifest with fresh links. A repetition replaces it.</summary>
    /// <returns>When the first of its links expires; null where the batch is not ready.</returns>
    public async Task<DateTimeOffset?> WriteAsync(BatchId batch, string key, CancellationToken cancellationToken)
    {
        if (await FindReadyAsync(batch, cancellationToken) is not var (row, files))
            return null;
        var manifest = await manifests.BuildAsync(row, files, row.LinkLifetime, cancellationToken);
        await using var writer = await uploads.OpenManifestAsync(batch, key, cancellationToken);
        if (writer is null)
            return null;
        try
        {
            await writer.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(manifest, ClaimCheckJson.Options), cancellationToken);
            await writer.CompleteAsync(cancellationToken);
        }
        catch (StagingException e) when (e.IsMissing)
        {
            // Aborted meanwhile: a revocation does that. If it was something else, the relay tries again.
            if (await FindReadyAsync(batch, cancellationToken) is null)
                return null;
            throw;
        }

        await AbortOthersAsync(batch, key, writer.Upload, cancellationToken);
        return manifest.LinksExpireAt;
    }

    private async Task<(ExportRow Row, IReadOnlyList<FileRow> Files)?> FindReadyAsync(
        BatchId batch, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        var row = await connection.QuerySingleOrDefaultAsync<ExportRow>(
            $"SELECT {ExportRow.Columns} FROM exports WHERE batch_id = @Id", new { Id = batch.Value }, cancellationToken);
        return row?.EffectiveState == ExportState.Ready
            ? (row, await FileRow.OfAsync(batch.Value, connection, cancellationToken))
            : null;
    }

    // Uploads that an earlier relay had begun and not completed.
    private async Task AbortOthersAsync(
        BatchId batch, string key, StagedMultipartUpload mine, CancellationToken cancellationToken)
    {
        var others = await catalog.ListAsync<string>(
            "SELECT upload_id FROM multipart_uploads WHERE batch_id = @Id AND object_key = @key AND upload_id <> @UploadId",
            new { Id = batch.Value, key, mine.UploadId },
            cancellationToken);
        foreach (var uploadId in others)
        {
            await staging.AbortAsync(new(key, uploadId), cancellationToken);
            await catalog.ExecuteAsync(
                "DELETE FROM multipart_uploads WHERE batch_id = @Id AND object_key = @key AND upload_id = @uploadId",
                new { Id = batch.Value, key, uploadId },
                cancellationToken);
        }
    }
}
