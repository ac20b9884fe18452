namespace ClaimCheck.Service.Staging;

/// <summary>Opens uploads, and records each one in the catalog, guarded by state and lease, before its first byte. That makes a
/// revocation complete: it aborts what is recorded, and nothing more can be recorded after it.</summary>
internal sealed class MultipartUploads(IStaging staging, NpgsqlDataSource catalog)
{
    /// <summary>The attempt's name for what producers upload.</summary>
    public const string Landing = "inbox";

    /// <summary>Opens a writer for a worker's object.</summary>
    /// <returns>Null where the export is not running under this lease; the upload is aborted.</returns>
    public Task<StagedWriter?> OpenAsync(
        BatchId batch, string attempt, Guid leaseToken, string name, StagedContent content,
        CancellationToken cancellationToken) =>
        OpenGuardedAsync(
            batch,
            attempt,
            StagingKeys.File(batch, attempt, name),
            content,
            "state = 'running' AND lease_token = @Token",
            leaseToken,
            cancellationToken);

    /// <summary>Opens a writer for a manifest of a ready batch.</summary>
    /// <returns>Null where the batch is not ready; the upload is aborted.</returns>
    public Task<StagedWriter?> OpenManifestAsync(BatchId batch, string key, CancellationToken cancellationToken) =>
        OpenGuardedAsync(
            batch, attempt: null, key, StagedContent.Json("manifest.json"), "state = 'ready'", token: null, cancellationToken);

    /// <summary>Opens a writer for a file of a batch that its producer uploads.</summary>
    /// <returns>Null where the batch is not open; the upload is aborted.</returns>
    public Task<StagedWriter?> OpenInboxAsync(BatchId batch, string key, CancellationToken cancellationToken) =>
        OpenGuardedAsync(
            batch,
            Landing,
            key,
            new StagedContent("application/octet-stream", "upload"),
            "state = 'open' AND EXISTS (SELECT FROM producer_batches b WHERE b.batch_id = @BatchId AND b.open_until > now())",
            token: null,
            cancellationToken);

    /// <summary>Opens a writer for an object whose upload is recorded before its first byte.</summary>
    /// <param name="staging">Where it is stored.</param>
    /// <param name="key">The object.</param>
    /// <param name="content">Its headers.</param>
    /// <param name="record">Records the upload in one row; in none where it may not be made.</param>
    /// <returns>Null where it was not recorded; the upload is aborted.</returns>
    public static async Task<StagedWriter?> OpenAsync(
        IStaging staging,
        string key,
        StagedContent content,
        Func<StagedMultipartUpload, Task<int>> record,
        CancellationToken cancellationToken)
    {
        var upload = await staging.BeginAsync(key, content, cancellationToken);
        var writer = staging.OpenWriter(upload);
        try
        {
            if (await record(upload) == 1)
                return writer;
        }
        catch
        {
            await writer.DisposeAsync(); // aborts the upload
            throw;
        }

        await writer.DisposeAsync();
        return null;
    }

    // FOR SHARE: a revocation or a new lease, which update the row, wait for this insert or make it match nothing.
    private Task<StagedWriter?> OpenGuardedAsync(
        BatchId batch, string? attempt, string key, StagedContent content, string guard, Guid? token,
        CancellationToken cancellationToken) =>
        OpenAsync(
            staging,
            key,
            content,
            upload => catalog.ExecuteAsync(
                $"""
                INSERT INTO multipart_uploads (batch_id, object_key, upload_id, attempt)
                SELECT batch_id, @Key, @UploadId, @attempt
                  FROM exports
                 WHERE batch_id = @BatchId AND {guard}
                   FOR SHARE
                """,
                new { BatchId = batch.Value, Key = key, upload.UploadId, attempt, Token = token },
                cancellationToken),
            cancellationToken);
}
