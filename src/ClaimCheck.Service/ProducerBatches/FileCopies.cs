namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Removes what exists of a file beside its valid copy: leftovers of requests that died, were overtaken or brought
/// another file, and, once it has arrived, the upload that its links write to.</summary>
internal sealed partial class FileCopies(
    NpgsqlDataSource catalog, ProducerBatchStore store, IStaging staging, ILogger<FileCopies> logger)
{
    /// <summary>Those of all files of a batch that have arrived: the process that received one removes them at once, but may
    /// have been killed.</summary>
    public async Task TryRemoveAsync(BatchId batch, CancellationToken cancellationToken)
    {
        foreach (var file in (await store.FilesAsync(batch, cancellationToken)).Where(file => file.ReceivedKey is not null))
            await TryRemoveAsync(batch, file, cancellationToken);
    }

    /// <summary>As below, but as a side task: what can't be removed now is swept soon.</summary>
    public async Task TryRemoveAsync(BatchId batch, ProducerFile file, CancellationToken cancellationToken)
    {
        try
        {
            await RemoveAsync(batch, file, cancellationToken);
        }
        catch (StagingException e)
        {
            Log.Postponed(logger, batch, e.Message);
        }
    }

    /// <exception cref="StagingException">Some are still there; the sweep tries again.</exception>
    public async Task RemoveAsync(BatchId batch, ProducerFile file, CancellationToken cancellationToken)
    {
        foreach (var (key, uploadId) in await SupersedeAsync(batch, file, cancellationToken))
        {
            await staging.AbortAsync(new(key, uploadId), cancellationToken);
            var stored = await staging.ListAsync(key, cancellationToken)
                .Where(found => found.Key == key).ToListAsync(cancellationToken);
            if (stored.Count > 0)
                await staging.DeleteAsync(stored, cancellationToken);
            await ForgetAsync(batch, key, uploadId, cancellationToken);
        }
    }

    // Marked first, under the lock that receptions take: none of them can become the valid copy while it is removed.
    private async Task<IReadOnlyList<(string Key, string UploadId)>> SupersedeAsync(
        BatchId batch, ProducerFile file, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var parameters = new { Id = batch.Value, file.Ordinal, MultipartUploads.Landing, LinkKey = file.LinkKey(batch) };
        await transaction.ExecuteAsync(
            "SELECT FROM producer_files WHERE batch_id = @Id AND ordinal = @Ordinal FOR UPDATE", parameters, cancellationToken);
        var found = await transaction.ListAsync<(string, string)>(
            """
            UPDATE multipart_uploads u
               SET superseded_at = coalesce(u.superseded_at, now())
              FROM producer_files f
             WHERE f.batch_id = @Id AND f.ordinal = @Ordinal AND u.batch_id = @Id AND u.attempt = @Landing
               AND (starts_with(u.object_key, @LinkKey || '-') OR (u.object_key = @LinkKey AND f.received_key IS NOT NULL))
               AND u.object_key IS DISTINCT FROM f.received_key
            RETURNING u.object_key, u.upload_id
            """,
            parameters,
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return found.AsList();
    }

    private Task ForgetAsync(BatchId batch, string key, string uploadId, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            "DELETE FROM multipart_uploads WHERE batch_id = @Id AND object_key = @key AND upload_id = @uploadId",
            new { Id = batch.Value, key, uploadId },
            cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(
            LogLevel.Warning, "Superseded copies of a file of batch {BatchId} could not be removed: {Reason} It is tried again.")]
        public static partial void Postponed(ILogger logger, BatchId batchId, string reason);
    }
}
